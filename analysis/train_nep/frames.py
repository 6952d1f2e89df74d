"""Extended XYZ frames with labels, and every check that can be made on one frame alone."""

import re
from dataclasses import dataclass
from pathlib import Path

import numpy as np

SYMBOLS = (
    "H He Li Be B C N O F Ne Na Mg Al Si P S Cl Ar K Ca Sc Ti V Cr Mn Fe Co Ni Cu Zn Ga Ge As Se Br Kr "
    "Rb Sr Y Zr Nb Mo Tc Ru Rh Pd Ag Cd In Sn Sb Te I Xe Cs Ba La Ce Pr Nd Pm Sm Eu Gd Tb Dy Ho Er Tm Yb "
    "Lu Hf Ta W Re Os Ir Pt Au Hg Tl Pb Bi Po At Rn Fr Ra Ac Th Pa U Np Pu"
).split()
NO_TYPE = "none"


class InputError(Exception):
    """Something a user gave that cannot be used: where, what was found and expected, how to mend it."""


@dataclass
class Frame:
    """One labelled configuration; energies in eV, lengths in Å, virial = -V·stress in eV."""

    path: str
    number: int
    line: int
    symbols: list
    cell: np.ndarray
    periodic: np.ndarray
    positions: np.ndarray
    energy: float
    forces: np.ndarray
    virial: np.ndarray | None
    config_type: str

    @property
    def place(self):
        return f"{self.path}: frame {self.number} (line {self.line})"

    @property
    def volume(self):
        return abs(np.linalg.det(self.cell))

    def __len__(self):
        return len(self.symbols)


_FIELD = re.compile(r"""([A-Za-z_][\w\-]*)\s*=\s*("[^"]*"|'[^']*'|\S+)""")


def _numbers(text, count, what, place):
    parts = re.split(r"[\s,\[\]]+", text.strip("\"' []"))
    try:
        values = np.array([float(p) for p in parts if p])
    except ValueError:
        raise InputError(f"{place}: {what} holds '{text}', expected {count} numbers; correct the label") from None
    if len(values) not in (count if isinstance(count, tuple) else (count,)):
        raise InputError(f"{place}: {what} has {len(values)} numbers, expected {count}; correct the label")
    if not np.isfinite(values).all():
        raise InputError(
            f"{place}: {what} holds {values[~np.isfinite(values)][0]}, expected finite numbers; "
            "remove the frame or label it again")
    return values


def _tensor(text, what, place):
    values = _numbers(text, (6, 9), what, place)
    if len(values) == 6:
        xx, yy, zz, yz, xz, xy = values
        return np.array([[xx, xy, xz], [xy, yy, yz], [xz, yz, zz]])
    tensor = values.reshape(3, 3)
    if np.abs(tensor - tensor.T).max() > 1e-3 * (1 + np.abs(tensor).max()):
        raise InputError(f"{place}: {what} is not symmetric, expected a symmetric 3x3 tensor; correct the label")
    return (tensor + tensor.T) / 2


def _columns(text, place):
    parts = text.strip("\"'").split(":")
    if len(parts) % 3:
        raise InputError(f"{place}: Properties={text} is not triples name:type:count; correct the header")
    columns, at = {}, 0
    for name, kind, count in zip(parts[::3], parts[1::3], parts[2::3]):
        if not count.isdigit():
            raise InputError(f"{place}: Properties has count '{count}', expected a whole number; correct the header")
        columns[name.lower()] = (at, int(count))
        at += int(count)
    for name, remedy in (("species", "add species:S:1"), ("pos", "add pos:R:3")):
        if name not in columns:
            raise InputError(f"{place}: Properties has no '{name}', expected one; {remedy}")
    if "forces" not in columns and "force" in columns:
        columns["forces"] = columns["force"]
    return columns, at


def read_frames(path, elements, virial_needed):
    """All frames of a file. virial_needed(config_type) says whether a frame may lack a virial."""
    path = Path(path)
    try:
        lines = path.read_text().splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"{path}: cannot be read ({error}); give an extended XYZ file") from None
    frames, at = [], 0
    while at < len(lines):
        if not lines[at].strip():
            at += 1
            continue
        place = f"{path}: frame {len(frames) + 1} (line {at + 1})"
        if not lines[at].strip().isdigit() or int(lines[at]) == 0:
            raise InputError(f"{place}: found '{lines[at].strip()[:40]}', expected the number of atoms; "
                             "is the frame before it complete?")
        count = int(lines[at])
        if at + 2 + count > len(lines):
            raise InputError(f"{place}: {len(lines) - at - 2} atom lines, expected {count}; the file is cut short")
        frames.append(_frame(path, len(frames) + 1, at + 1, lines[at + 1], lines[at + 2:at + 2 + count],
                             elements, virial_needed))
        at += 2 + count
    if not frames:
        raise InputError(f"{path}: holds no frames, expected extended XYZ; give another file")
    return frames


def _frame(path, number, line, header, rows, elements, virial_needed):
    place = f"{path}: frame {number} (line {line})"
    fields = {key.lower(): value for key, value in _FIELD.findall(header)}
    config_type = fields.get("config_type", NO_TYPE).strip("\"'")
    for key, remedy in (("lattice", "add Lattice=\"ax ay az bx by bz cx cy cz\", for a molecule a box "
                                    "wider than the cutoff"),
                        ("properties", "add Properties=species:S:1:pos:R:3:forces:R:3"),
                        ("energy", "label the frame or remove it")):
        if key not in fields:
            raise InputError(f"{place}: no {key}, expected {key}=...; {remedy}")
    cell = _numbers(fields["lattice"], 9, "Lattice", place).reshape(3, 3)
    if abs(np.linalg.det(cell)) < 1e-3:
        raise InputError(f"{place}: the cell has no volume, expected three independent vectors; correct Lattice")
    energy = _numbers(fields["energy"], 1, "energy", place)[0]
    flags = re.findall(r"[TtFf]", fields.get("pbc", "T T T"))
    periodic = np.array([f in "Tt" for f in flags]) if len(flags) == 3 else np.ones(3, bool)

    columns, width = _columns(fields["properties"], place)
    if "forces" not in columns:
        raise InputError(f"{place}: no forces, expected forces:R:3 in Properties; label the frame or remove it")
    symbols, numbers = [], np.empty((len(rows), 6))
    s, p, f = columns["species"][0], columns["pos"][0], columns["forces"][0]
    for k, row in enumerate(rows):
        parts = row.split()
        if len(parts) < width:
            raise InputError(f"{place}: atom {k + 1} (line {line + 2 + k}) has {len(parts)} columns, "
                             f"expected {width}; correct the line")
        symbols.append(parts[s])
        if parts[s] not in elements:
            known = "an element of the model" if parts[s] in SYMBOLS else "a chemical symbol"
            raise InputError(f"{place}: atom {k + 1} (line {line + 2 + k}) is '{parts[s]}', expected {known} "
                             f"({' '.join(elements)}); correct the symbol, remove the frame, or add it to "
                             "model.elements")
        try:
            numbers[k] = [float(v) for v in parts[p:p + 3] + parts[f:f + 3]]
        except ValueError:
            raise InputError(f"{place}: atom {k + 1} (line {line + 2 + k}) has a position or force that is no "
                             "number; correct the line") from None
        if not np.isfinite(numbers[k]).all():
            what = "position" if not np.isfinite(numbers[k, :3]).all() else "force"
            raise InputError(f"{place}: atom {k + 1} (line {line + 2 + k}) has a {what} of "
                             f"{numbers[k][~np.isfinite(numbers[k])][0]}, expected finite numbers; "
                             "remove the frame or label it again")

    virial, volume = None, abs(np.linalg.det(cell))
    if "virial" in fields:
        virial = _tensor(fields["virial"], "virial", place)
    if "stress" in fields:
        from_stress = -volume * _tensor(fields["stress"], "stress", place)
        if virial is None:
            virial = from_stress
        elif np.abs(virial - from_stress).max() > 1e-3 * np.abs(virial).max() + 1e-3:
            worst = np.unravel_index(np.abs(virial - from_stress).argmax(), (3, 3))
            raise InputError(
                f"{place}: virial {virial[worst]:.5g} eV and -V·stress {from_stress[worst]:.5g} eV differ, expected "
                "equality (stress positive in tension, eV/Å³; virial eV); correct one or remove it")
    if virial is None and virial_needed(config_type):
        raise InputError(f"{place}: no virial or stress, expected virial=\"9 numbers\" (eV) or stress=\"9 numbers\" "
                         f"(eV/Å³); label it, or set the virial weight of '{config_type}' to 0")
    return Frame(str(path), number, line, symbols, cell, periodic, numbers[:, :3].copy(), energy,
                 numbers[:, 3:].copy(), virial, config_type)
