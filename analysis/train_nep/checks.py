"""What only shows in all frames together: the reference of energies, units, duplicates, the split."""

import numpy as np

from .frames import InputError

def baseline(frames, config):
    """Energies per element (eV): those subtracted for training, those that the file's energies are relative to,
    and the frames to train on (isolated atoms that define a reference are left out)."""
    elements, asked = config.elements, config.values["energy"]["reference"]
    reference = dict.fromkeys(elements, 0.0)
    if isinstance(asked, dict):
        reference = {e: float(asked[e]) for e in elements}
    elif asked == "isolated":
        reference = {f.symbols[0]: f.energy for f in reversed(frames) if len(f) == 1}
        missing = [e for e in elements if e not in reference]
        if missing:
            raise InputError(f"{config.source}: energy.reference: found no frame of one atom for {' '.join(missing)}, "
                             "expected one for every element; add them, or use energy.reference = \"fit\"")
        frames = [f for f in frames if len(f) > 1]
        if not frames:
            raise InputError(f"{config.source}: data.frames: only isolated atoms were found, expected frames to train on; "
                             "add some")
    fractions = np.array([[f.symbols.count(e) / len(f) for e in elements] for f in frames])
    energies = np.array([(f.energy - sum(reference[s] for s in f.symbols)) / len(f) for f in frames])
    # One common constant, and the smallest differences from it that fit: for one composition, none at all.
    # Least absolute deviations, so that a few frames of another reference do not draw the constants.
    mean = fractions.mean(0)
    design = np.concatenate([np.ones((len(frames), 1)), fractions - mean], 1)
    solution = np.zeros(len(elements) + 1)
    if np.abs(design[:, 1:]).max() < 1e-6:
        solution[0] = np.median(energies)
    else:
        weights = np.ones(len(frames))
        for _ in range(50):
            root = np.sqrt(weights)
            solution = np.linalg.lstsq(design * root[:, None], energies * root, rcond=1e-8)[0]
            weights = 1 / np.maximum(np.abs(energies - design @ solution), 1e-4)
    common = solution[0] - mean @ solution[1:]
    shift = {e: reference[e] + float(common + d) for e, d in zip(elements, solution[1:])}
    return shift, shift if asked == "fit" else reference, frames


def check_reference(frames, energies, config):
    """Refuses energies far from the reference that the others share."""
    window = config.values["energy"]["window"]
    excess = np.array([(f.energy - sum(energies[s] for s in f.symbols)) / len(f) for f in frames])
    median = np.median(excess)
    far = np.flatnonzero(np.abs(excess - median) > window)
    if len(far):
        f, others = frames[far[0]], len(far) - 1
        raise InputError(
            f"{f.place}: energy {f.energy:.6f} eV is {excess[far[0]] - median:+.3f} eV/atom from the reference of the "
            f"other frames, expected within {window:g} eV/atom{f' ({others} more frames like it)' if others else ''}; "
            "label all frames with one method, or raise energy.window if the spread is real")


def _probe(frames, environments, kinds):
    """A pair potential fitted to forces alone: for every frame its forces, energy and virial by it."""
    K = environments[0].rad_f.shape[1]
    block = np.zeros((kinds, kinds), int)
    upper = np.triu_indices(kinds)
    block[upper] = np.arange(len(upper[0]))
    block = np.maximum(block, block.T)
    blocks = len(upper[0])
    columns = blocks * K
    normal, right = np.zeros((columns, columns)), np.zeros(columns)
    designs = []
    for frame, e in zip(frames, environments):
        species = np.repeat(np.arange(kinds), e.counts)
        i = np.repeat(np.arange(len(species)), np.diff(e.rad_start))
        vectors = e.rad_r[:, :, None].astype(float) * e.rad_f[:, None]
        pair_block = block[species[i], e.rad_J]
        gradient = np.zeros((len(species), blocks, 3, K))
        rows = i * blocks + pair_block
        order = np.argsort(rows, kind="stable")
        rows = rows[order]
        if len(rows):
            start = np.flatnonzero(np.diff(rows, prepend=-1))
            gradient.reshape(-1, 3 * K)[rows[start]] = np.add.reduceat(vectors.reshape(-1, 3 * K)[order], start, axis=0)
        gradient = gradient.transpose(0, 2, 1, 3).reshape(-1, columns)
        forces = frame.forces[e.order].ravel()
        # a frame of very large forces shall not rule the fit
        scale = 1 / max(1.0, (forces**2).mean())
        normal += scale * gradient.T @ gradient
        right += scale * gradient.T @ forces
        moments = np.concatenate([m.reshape(-1, kinds, K) for m in e.radial_moments])
        energy = np.zeros((blocks, K))
        np.add.at(energy, block[species[:, None], np.arange(kinds)], moments / 2)
        virial = np.zeros((blocks, 3, 3, K))
        for b in range(blocks):
            chosen = pair_block == b
            virial[b] = -0.5 * (e.rad_r[chosen].T @ vectors[chosen].reshape(-1, 3 * K)).reshape(3, 3, K)
        designs.append((gradient.astype(np.float32), forces, energy.ravel(), virial.transpose(0, 3, 1, 2).reshape(columns, 9)))
    fit = np.linalg.solve(normal + 1e-8 * np.trace(normal) / columns * np.eye(columns), right)
    return [(g @ fit, f, float(u @ fit), fit @ w) for g, f, u, w in designs]


def _slope(x, y, least=0.6):
    """Ratio of the sizes of y and x, signed, where they go together (correlation of at least `least`), else nan."""
    if len(x) < 3:
        return np.nan
    x, y = x - x.mean(), y - y.mean()
    size = np.sqrt((x @ x) * (y @ y))
    return float(np.sign(x @ y) * np.sqrt((y @ y) / (x @ x))) if size > 0 and abs(x @ y) > least * size else np.nan


UNITS = ((1 / 51.42, "Hartree/Bohr"), (1 / 25.71, "Rydberg/Bohr"),
         (24.9, "kcal/mol/Å, or energies in Hartree"), (96.49, "kJ/mol/Å"))


def _unit(slope):
    near = [name for factor, name in UNITS if 0.6 < abs(slope) / factor < 1.7]
    return f", as if they were in {near[0]}" if near else ""


def check_units(frames, environments, config):
    """Compares forces, energies and virials: a pair potential fitted to the forces has to give the forces of
    every frame to within a factor, and the changes of energy and virial. Returns the two slopes of the
    latter, nan where the data cannot tell."""
    results = _probe(frames, environments, len(config.elements))
    remedy = "convert forces to eV/Å"
    typical = np.median([_slope(p, f) for p, f, _, _ in results if not np.isnan(_slope(p, f))] or [np.nan])
    for frame, (p, f, _, _) in zip(frames, results):
        slope = _slope(p, f, 0.7) / typical
        if slope < 0 or slope > 8 or slope < 1 / 8:
            found = ("forces point the other way than" if slope < 0 else f"forces are {slope:.3g} times") + " what the other frames ask for"
            raise InputError(f"{frame.place}: {found}{_unit(slope)}, expected eV/Å; "
                             f"{'change their sign' if slope < 0 else remedy}")

    formulas = {}
    for k, f in enumerate(frames):
        formulas.setdefault(tuple(sorted(f.symbols)), []).append(k)
    x, y = [], []
    for members in formulas.values():
        if len(members) > 2:
            for values, column in ((x, [results[k][2] / len(frames[k]) for k in members]),
                                   (y, [frames[k].energy / len(frames[k]) for k in members])):
                values.append(np.array(column) - np.median(column))
    energy = _slope(np.concatenate(x), np.concatenate(y)) if x else np.nan
    labelled = [k for k, f in enumerate(frames) if f.virial is not None]
    virial = _slope(np.concatenate([results[k][3] / len(frames[k]) for k in labelled]),
                    np.concatenate([frames[k].virial.ravel() / len(frames[k]) for k in labelled])) if labelled else np.nan

    place = f"{frames[0].place} and the {len(frames) - 1} after it"
    if energy < 0:
        raise InputError(f"{place}: energies fall where the forces say that they rise, expected forces = -gradient; "
                         "change the sign of the forces")
    if energy > 4 or energy < 1 / 4:
        guess = _unit(1 / energy)
        raise InputError(f"{place}: forces are {1 / energy:.3g} times what the changes of energy between frames ask "
                         f"for (largest force {max(np.abs(f.forces).max() for f in frames):.4g}){guess}, "
                         "expected energies in eV and forces in eV/Å; convert the labels")
    if virial < 0:
        raise InputError(f"{place}: virials have the opposite sign of what the forces ask for, expected virial = "
                         "-V·stress (eV, positive when compressed); change the sign")
    if virial > 5 or virial < 1 / 5:
        raise InputError(f"{place}: virials are {virial:.3g} times what the forces ask for, expected virial in eV or "
                         "stress in eV/Å³ (1 eV/Å³ = 160.2 GPa); convert the labels")
    return energy, virial


def check_duplicates(frames):
    """Pairs of frames whose cell and positions agree to 0.001 Å, up to a translation."""
    groups = {}
    for k, f in enumerate(frames):
        groups.setdefault(tuple(f.symbols), []).append(k)
    for members in groups.values():
        cells = np.array([frames[k].cell.ravel() for k in members])
        for a, first in enumerate(members):
            for b in a + 1 + np.flatnonzero(np.abs(cells[a + 1:] - cells[a]).max(1, initial=0) < 1e-3):
                one, two = frames[first], frames[members[b]]
                shift = (two.positions - one.positions) @ np.linalg.inv(one.cell)
                shift -= shift[0]
                shift = (shift - np.round(shift)) @ one.cell
                if np.abs(shift - shift.mean(0)).max() < 1e-3:
                    yield one, two


def split(frames, config, extra):
    """Indices of the training, validation and test sets; extra: {"validation": frames, "test": frames} given as
    files. Fractions are taken from every config type, by the seed; frames that repeat one stay with it."""
    data = config.values["data"]
    random = np.random.default_rng([config.values["training"]["seed"], 20])
    leader = {id(f): k for k, f in enumerate(frames)}
    repeats = {}
    for one, two in check_duplicates(frames):
        repeats.setdefault(leader[id(two)], leader[id(one)])
    types, place = {}, {}
    for k, f in enumerate(frames):
        if k not in repeats:
            types.setdefault(f.config_type, []).append(k)
    for name in sorted(types):
        members = random.permutation(types[name]).tolist()
        for key in ("test", "validation"):
            fraction = 0 if extra[key] else data[key + "_fraction"]
            # a type of a few frames gives one, a single frame none
            count = 0 if len(types[name]) < 3 or fraction == 0 else max(1, round(fraction * len(types[name])))
            place.update(dict.fromkeys(members[:count], key))
            members = members[count:]
        place.update(dict.fromkeys(members, "train"))
    for k in sorted(repeats):
        place[k] = place[repeats[k]]
    sets = {name: [k for k in range(len(frames)) if place[k] == name] for name in ("train", "validation", "test")}
    at = len(frames)
    for key in ("validation", "test"):
        sets[key] += range(at, at + len(extra[key]))
        at += len(extra[key])
    return sets, [(frames[k], frames[first]) for k, first in sorted(repeats.items())]


def check_split(frames, sets):
    """Refuses frames of one set that repeat frames of another."""
    where = {id(frames[k]): name for name, members in sets.items() for k in members}
    for one, two in check_duplicates(frames):
        if where[id(one)] != where[id(two)]:
            raise InputError(f"{two.place}: the frame is in the {where[id(two)]} set and is the same as frame "
                             f"{one.number} of {one.path} in the {where[id(one)]} set, expected frames of their own in "
                             "every set; remove one of the two")
