#!/usr/bin/env python3
"""The crystal that a model gives: cells under pressure, equation of state, vibrations at Γ and their shifts.

usage: crystal.py --model MODEL --structure CRYSTAL.xyz --output DIR [--pressures -0.3 0 0.5 1 1.5 2 3 4]
                  [--scan LABELLED.xyz] [--shift 1.5] [--apus PATH]
                  [--modes CRYSTAL.xyz LABELLED.xyz]...

Writes into DIR scan.xyz, the cells relaxed at the pressures. Cells along a curve of volume labelled by another method
come back as --scan, and the tables hold both.

--modes compares internal vibrations at Γ with those of another method at a geometry relaxed by that method. When
LABELLED.xyz is missing, its frames are written to DIR/modes-NAME.xyz: 2 for each of the lowest groups of internal
modes. A frame moves along the model's modes of all irreducible representations at once; forces of different ones do
not mix, so that the frames give the other method's dynamical matrix among these modes in each representation.
Prints Markdown.
"""
import argparse
import subprocess
from pathlib import Path

import numpy as np
import spglib
from ase import Atoms, units
from ase.eos import EquationOfState
from ase.io import read, write
from ase.neighborlist import natural_cutoffs, neighbor_list
from phonopy import Phonopy
from phonopy.structure.atoms import PhonopyAtoms

DECK = """structure: {structure}
potential: {{model: {model}, precision: double}}
stages:
  - {{name: relax, ensemble: minimize, cell: orthorhombic, pressure: {pressure} GPa, force: 1e-4 eV/A, steps: 5000}}
"""
THZ_TO_WAVENUMBER = 33.3564095
STEP = 0.01  # Å
GROUPS = 7  # of internal modes that are compared with another method, from the lowest
AMPLITUDE = 0.04  # Å, the largest displacement of an atom in their frames


def relaxed(arguments, pressure):
    name = arguments.output / f"relax-{pressure}"
    deck = name.with_suffix(".yaml")
    deck.write_text(DECK.format(structure=arguments.structure.resolve(), model=arguments.model.resolve(), pressure=pressure))
    if not (name / "final.xyz").exists():
        subprocess.run([arguments.apus, "run", deck, "--output", name, "--quiet"], check=True)
    atoms = read(name / "final.xyz")
    return Atoms(atoms.symbols, positions=atoms.positions, cell=atoms.cell, pbc=True)


def evaluated(arguments, frames, tag):
    path = arguments.output / f"{tag}.xyz"
    write(path, frames, format="extxyz")
    out = arguments.output / f"{tag}-model.xyz"
    subprocess.run([arguments.apus, "evaluate", "--model", arguments.model, path, "--precision", "double",
                    "--output", out, "--quiet"], check=True)
    return read(out, ":")


def phonons(atoms):
    cell = PhonopyAtoms(symbols=atoms.get_chemical_symbols(), cell=atoms.cell.array,
                        scaled_positions=atoms.get_scaled_positions(), masses=atoms.get_masses())
    phonon = Phonopy(cell, np.eye(3), primitive_matrix="P", symprec=2e-3, log_level=0)
    phonon.generate_displacements(distance=STEP, is_plusminus=True)
    frames = [Atoms(c.symbols, scaled_positions=c.scaled_positions, cell=c.cell, pbc=True)
              for c in phonon.supercells_with_displacements]
    return phonon, frames


def solved(phonon, forces):
    """Frequencies in cm⁻¹ (negative: imaginary) and eigenvectors [mode, atom, 3] at Γ."""
    phonon.forces = forces
    phonon.produce_force_constants()
    phonon.symmetrize_force_constants()
    phonon.run_qpoints([[0, 0, 0]], with_eigenvectors=True)
    values = phonon.qpoints
    return (values.frequencies[0] * THZ_TO_WAVENUMBER,
            values.eigenvectors[0].T.real.reshape(len(values.frequencies[0]), -1, 3))


def molecules(atoms):
    i, j = neighbor_list("ij", atoms, natural_cutoffs(atoms, mult=1.2))
    group = np.arange(len(atoms))
    for _ in range(len(atoms)):
        lower = group.copy()
        np.minimum.at(lower, i, group[j])
        if (lower == group).all():
            break
        group = lower
    return [np.flatnonzero(group == g) for g in np.unique(group)]


def characters(atoms, vectors):
    """Of each mode: the part that moves molecules rigidly, and of the rest the parts of H, of I, and out of the
    plane of the ring."""
    masses = atoms.get_masses()
    table = np.zeros((len(vectors), 4))
    for members in molecules(atoms):
        whole = atoms.positions[members[0]] + atoms.get_distances(members[0], members, mic=True, vector=True)
        m = masses[members]
        r = whole - m @ whole / m.sum()
        basis = [np.outer(np.sqrt(m), e).ravel() for e in np.eye(3)]
        basis += [(np.sqrt(m)[:, None] * np.cross(e, r)).ravel() for e in np.eye(3)]
        Q = np.linalg.qr(np.array(basis).T)[0]
        own = vectors[:, members].reshape(len(vectors), -1)
        rigid = own @ Q
        table[:, 0] += (rigid**2).sum(1)
        internal = (own - rigid @ Q.T).reshape(len(vectors), -1, 3)
        symbols = np.array(atoms.get_chemical_symbols())[members]
        for column, symbol in ((1, "H"), (2, "I")):
            table[:, column] += (internal[:, symbols == symbol] ** 2).sum((1, 2))
        normal = np.linalg.svd(r[symbols != "H"])[2][2]
        table[:, 3] += ((internal @ normal) ** 2).sum(1)
    return table


def herringbone(atoms):
    """Angles of the ring normals to that of the first molecule, in degrees; normals have no sign."""
    normals = []
    for members in molecules(atoms):
        ring = [k for k in members if atoms.symbols[k] in "CS"]
        r = atoms.get_distances(ring[0], ring, mic=True, vector=True)
        normals.append(np.linalg.svd(r - r.mean(0))[2][2])
    return np.degrees(np.arccos(np.clip(np.abs(np.array(normals) @ normals[0]), 0, 1)))


def representations(atoms, vectors):
    """Index of the irreducible representation of each mode; a group of order 8 with real characters ±1 alone."""
    found = spglib.get_symmetry((atoms.cell.array, atoms.get_scaled_positions(), atoms.numbers), symprec=2e-2)
    scaled = atoms.get_scaled_positions()
    signs = []
    for rotation, translation in zip(found["rotations"], found["translations"]):
        image = scaled @ rotation.T + translation
        apart = image[:, None] - scaled[None]
        target = np.linalg.norm((apart - np.round(apart)) @ atoms.cell.array, axis=2).argmin(1)
        turn = np.linalg.inv(atoms.cell.array) @ rotation.T @ atoms.cell.array
        moved = np.empty_like(vectors)
        moved[:, target] = vectors @ turn
        signs.append((moved * vectors).sum((1, 2)))
    signs = np.array(signs).T
    if np.abs(np.abs(signs) - 1).max() > 0.05:
        raise SystemExit("crystal.py: modes of different representations are mixed; the structure is not symmetric enough")
    return np.unique(np.round(signs), axis=0, return_inverse=True)[1].ravel()


def ritz(arguments, structure, labelled):
    """Prints the model's frequencies of the lowest internal modes at the structure beside those of the labels, made
    from the labels' dynamical matrix among the model's modes; or writes the frames to label."""
    atoms = read(structure)
    atoms = Atoms(atoms.symbols, positions=atoms.positions, cell=atoms.cell, pbc=True)
    phonon, displaced = phonons(atoms)
    tag = f"modes-{Path(structure).stem}"
    frequencies, vectors = solved(phonon, [a.get_forces() for a in evaluated(arguments, displaced, tag + "-model")])
    table = characters(atoms, vectors)
    size = len(molecules(atoms))
    internal = np.setdiff1d(np.arange(len(frequencies)), np.argsort(-table[:, 0])[:6 * size])
    internal = internal[np.argsort(frequencies[internal])]
    kinds = representations(atoms, vectors[internal])
    modes = np.array([internal[kinds == k][:GROUPS] for k in range(kinds.max() + 1)])
    roots = np.sqrt(atoms.get_masses())[:, None]
    frames, scales = [], []
    for group in modes.T:
        step = vectors[group].sum(0) / roots
        scales.append(AMPLITUDE / np.linalg.norm(step, axis=1).max())
        for sign in (1, -1):
            frame = atoms.copy()
            frame.positions += sign * scales[-1] * step
            frames.append(frame)
    if not Path(labelled).exists():
        write(arguments.output / f"{tag}.xyz", frames, format="extxyz")
        print(f"\n{arguments.output / tag}.xyz: {len(frames)} frames to label")
        return
    given = read(labelled, ":")
    if len(given) != len(frames) or any(np.abs(g.positions - f.positions).max() > 1e-4 for g, f in zip(given, frames)):
        raise SystemExit(f"crystal.py: {labelled} does not hold the frames of {tag}.xyz in their order")
    square = (units._hbar * units.J * units.s / units.invcm) ** 2  # (eV/Å²/amu) to cm⁻²: ASE's time makes eV/(amu Å²) 1
    forces = [(given[2 * k].get_forces() - given[2 * k + 1].get_forces()) / 2 for k in range(GROUPS)]
    theirs = []
    for own in modes:
        matrix = np.array([[-(vectors[i] * f / roots).sum() / s for f, s in zip(forces, scales)] for i in own])
        values = np.linalg.eigvalsh((matrix + matrix.T) / 2) * square
        theirs.append(np.sign(values) * np.sqrt(np.abs(values)))
    theirs = np.array(theirs)
    print(f"\n| internal modes of {Path(structure).name} | model, cm⁻¹ | labels | range of labels |\n|---|---|---|---|")
    for k in range(GROUPS):
        print(f"| {k + 1} | {frequencies[modes[:, k]].mean():.1f} | {theirs[:, k].mean():.1f} | "
              f"{theirs[:, k].min():.1f} … {theirs[:, k].max():.1f} |")


def fitted(frames, energies):
    fit = EquationOfState([f.get_volume() for f in frames], energies, eos="birchmurnaghan")
    volume, _, modulus = fit.fit()
    return volume, modulus / units.GPa


def compared(arguments, labelled):
    """Prints energies and pressures of the model and of the labels for the same cells, in order of volume."""
    labelled.sort(key=lambda a: -a.get_volume())
    bare = [Atoms(a.symbols, positions=a.positions, cell=a.cell, pbc=True) for a in labelled]
    own = evaluated(arguments, bare, "scan-labelled")
    lowest = min(range(len(labelled)), key=lambda k: labelled[k].get_potential_energy())
    energy = lambda frames, k: 1000 * (frames[k].get_potential_energy() - frames[lowest].get_potential_energy()) / len(frames[k])
    pressure = lambda a: -np.trace(a.get_stress(voigt=False)) / 3 / units.GPa
    print("| V, Å3 | V/V of the lowest | E, meV/atom: model | labels | P, GPa: model | labels |")
    print("|" + "---|" * 6)
    for k, a in enumerate(labelled):
        print(f"| {a.get_volume():.1f} | {a.get_volume() / labelled[lowest].get_volume():.4f} | {energy(own, k):.2f} | "
              f"{energy(labelled, k):.2f} | {pressure(own[k]):.2f} | {pressure(a):.2f} |")
    for name, frames in (("model", own), ("labels", labelled)):
        print("{}: V0 {:.1f} Å3, bulk modulus {:.2f} GPa".format(name, *fitted(frames, [a.get_potential_energy() for a in frames])))
    print()


def main():
    root = Path(__file__).resolve().parents[2]
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--model", required=True, type=Path)
    parser.add_argument("--structure", required=True, type=Path)
    parser.add_argument("--output", required=True, type=Path)
    parser.add_argument("--pressures", nargs="+", type=float, default=[-0.3, 0, 0.5, 1, 1.5, 2, 3, 4], help="GPa")
    parser.add_argument("--shift", type=float, default=1.5, help="pressure of the shifted vibrations, GPa")
    parser.add_argument("--scan", type=Path)
    parser.add_argument("--modes", nargs=2, action="append", default=[], metavar=("CRYSTAL", "LABELLED"))
    parser.add_argument("--apus", default=root / ".build/release/apus", type=Path)
    arguments = parser.parse_args()
    arguments.output.mkdir(parents=True, exist_ok=True)
    wanted = sorted(set(arguments.pressures) | {0.0, arguments.shift})
    frames = [relaxed(arguments, p) for p in wanted]
    energies = [a.get_potential_energy() for a in evaluated(arguments, frames, "scan")]
    count, zero = len(frames[0]), wanted.index(0.0)

    print("| P, GPa | a | b | c | V, Å3 | V/V0 | E, meV/atom |")
    print("|" + "---|" * 7)
    for p, atoms, energy in zip(wanted, frames, energies):
        row = [f"{p:g}", *(f"{x:.3f}" for x in atoms.cell.lengths()), f"{atoms.get_volume():.1f}",
               f"{atoms.get_volume() / frames[zero].get_volume():.4f}", f"{1000 * (energy - energies[zero]) / count:.2f}"]
        print("| " + " | ".join(row) + " |")
    print("\nBirch–Murnaghan: V0 {:.1f} Å3, bulk modulus {:.2f} GPa\n".format(*fitted(frames, energies)))
    if arguments.scan:
        compared(arguments, read(arguments.scan, ":"))
    for p in (0.0, arguments.shift):
        angles = herringbone(frames[wanted.index(p)])
        print(f"ring normals at {p:g} GPa, angle to the first: " + ", ".join(f"{x:.1f}" for x in sorted(angles)) + "°")

    results = {}
    for p in (0.0, arguments.shift):
        atoms = frames[wanted.index(p)]
        phonon, displaced = phonons(atoms)
        forces = [a.get_forces() for a in evaluated(arguments, displaced, f"displaced-{p:g}")]
        results[p] = solved(phonon, forces), characters(atoms, solved(phonon, forces)[1])
    # internal modes of N molecules come in groups of N
    size = len(molecules(frames[0]))
    lines = {}
    for key, ((frequencies, _), table) in results.items():
        rigid = np.argsort(-table[:, 0])[:6 * size]
        internal = np.setdiff1d(np.arange(len(frequencies)), rigid)
        internal = internal[np.argsort(frequencies[internal])]
        lattice = np.sort(frequencies[rigid])
        groups = [(frequencies[g].mean(), frequencies[g].min(), frequencies[g].max(), table[g, 1:].mean(0))
                  for g in internal.reshape(-1, size)]
        lines[key] = lattice, groups
    print(f"\nlattice modes at 0 GPa: {lines[0.0][0][3]:.0f} … {lines[0.0][0][-1]:.0f} cm⁻¹, mean "
          f"{lines[0.0][0][3:].mean():.1f}; at {arguments.shift:g} GPa {lines[arguments.shift][0][3]:.0f} … "
          f"{lines[arguments.shift][0][-1]:.0f}, mean {lines[arguments.shift][0][3:].mean():.1f}; lowest at 0 GPa: "
          + ", ".join(f"{x:.1f}" for x in lines[0.0][0][:6]))
    print(f"\n| internal modes | cm⁻¹ at 0 GPa | range | shift at {arguments.shift:g} GPa | H | I | out of plane |")
    print("|" + "---|" * 7)
    for k, (mean, low, high, parts) in enumerate(lines[0.0][1]):
        shift = lines[arguments.shift][1][k][0] - mean
        print(f"| {k + 1} | {mean:.1f} | {low:.1f} … {high:.1f} | {shift:+.1f} | "
              + " | ".join(f"{x:.2f}" for x in parts) + " |")
    for structure, labelled in arguments.modes:
        ritz(arguments, structure, labelled)


if __name__ == "__main__":
    main()
