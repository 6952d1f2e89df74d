#!/usr/bin/env python3
"""Writes the tables of Sources/Scattering: neutron scattering lengths (Sears, Neutron News 3 (3), 26 (1992)), X-ray form
factors (Waasmaier and Kirfel, Acta Cryst. A 51, 416 (1995); International Tables C, table 6.1.1.4) and electron
scattering factors (Peng et al., Acta Cryst. A 52, 257 (1996); Peng, A 54, 481 (1998)).

The published numbers are taken from the data files of euphonic 2.1.1 (neutrons), periodictable 2.1.0 (Waasmaier and
Kirfel) and dynasor 2.5 (the others), all on PyPI, which transcribe them. dynasor's transcription of Waasmaier and Kirfel
has zeros in the place of eights and a lost sign (Br, Ti, V, Fe, O1-, ...): its form factors at q = 0 miss the number of
electrons.

usage: make_scattering_tables.py OUTPUT_FOLDER
"""
import csv
import importlib.util
import json
import sys
from pathlib import Path


def package(name):
    return Path(importlib.util.find_spec(name).submodule_search_locations[0])


def number(value):
    if value == "-":
        return value
    return f"{float(value):.10g}"


def swift(folder, file, comment, owner, name, doc, rows):
    text = [f"// {line}" for line in comment]
    text += [f"extension {owner} {{", f"  /// {doc}", f'  static let {name} = """', *(f"    {row}" for row in rows)]
    (folder / file).write_text("\n".join(text + ['    """', "}"]) + "\n")


def neutron():
    rows = {}
    with open(package("euphonic") / "isotopes/data/sears-1992.csv", newline="") as file:
        lines = [line for line in csv.DictReader(file) if line["z_number"].isdigit()]
    for line in lines:
        length = line["coherent_scattering_length (fm)"]
        if not length:
            continue
        length = complex(length)
        incoherent = line["incoherent_cross_section (barn)"]
        # A blank beside a total cross section is a zero; without one it is not known.
        if not incoherent:
            incoherent = "0" if line["scattering_cross_section (barn)"] else "-"
        entry = [number(length.real), number(length.imag), number(incoherent)]
        rows.setdefault(line["symbol"], []).append(" ".join([line["a_number"] or "0", *entry]))
    return [" | ".join([symbol, *entries]) for symbol, entries in rows.items()]


# Rows of dynasor's files that other tables contradict: Bi5+ and Ru4+ by up to 60 % in the X-ray factor (against Waasmaier
# and Kirfel, and Peng by the relation of Mott and Bethe), the electron factor of H1- by 150 %.
WRONG = {"x-ray-parameters-itcc-2006.json": ("Bi5+", "Ru4+"), "electron-parameters-ions-peng-1998.json": ("H1-",)}


def factors(file, terms, constant, species=None):
    data = json.loads((package("dynasor") / "post_processing/form-factors" / file).read_text())
    keys = list(data["a1"])
    rows = {}
    for key in keys:
        label = data["species"][key] if species else key
        if label in WRONG.get(file, ()):
            continue
        # Two rows of H in the International Tables: the later one is Hartree-Fock, as most others.
        rows[label] = " ".join([label] + [number(data[f"a{i}"][key]) for i in range(1, terms + 1)]
                               + [number(data[f"b{i}"][key]) for i in range(1, terms + 1)]
                               + ([number(data["c"][key])] if constant else []))
    return list(rows.values())


def waasmaier_kirfel():
    rows = []
    with open(package("periodictable") / "f0_WaasKirf.dat") as file:
        for line in file:
            fields = line.split()
            if line.startswith("#S"):
                label = fields[2]
            elif not line.startswith("#") and len(fields) == 11:
                # a1...a5, c, b1...b5.
                rows.append(" ".join([label] + [number(x) for x in fields[:5] + fields[6:] + fields[5:6]]))
    return rows


def main(folder):
    made = "Made by analysis/make_scattering_tables.py."
    swift(folder, "NeutronTable+Sears1992.swift",
          ["Sears, Neutron News 3 (3), 26 (1992). " + made,
           "Symbol | mass number (0: the natural element), Re b, Im b (fm), incoherent cross section (barn),",
           "- where it is not known."],
          "NeutronTable", "sears1992", "The table as text, a line for each element.", neutron())
    swift(folder, "FormFactorTable+WaasmaierKirfel.swift",
          ["Waasmaier and Kirfel, Acta Cryst. A 51, 416 (1995). " + made, "Species, a1...a5, b1...b5 (Å²), c."],
          "FormFactorTable", "waasmaierKirfelText", "The table as text, a line for each species.",
          waasmaier_kirfel())
    swift(folder, "FormFactorTable+InternationalTables.swift",
          ["International Tables for Crystallography C (2006), table 6.1.1.4. " + made,
           "Species, a1...a4, b1...b4 (Å²), c."],
          "FormFactorTable", "internationalTablesText", "The table as text, a line for each species.",
          factors("x-ray-parameters-itcc-2006.json", 4, True, species=True))
    swift(folder, "FormFactorTable+Peng.swift",
          ["Peng, Ren, Dudarev and Whelan, Acta Cryst. A 52, 257 (1996), table 3 (s up to 6 1/Å); ions: Peng,",
           "Acta Cryst. A 54, 481 (1998), table 1. " + made, "Species, a1...a5 (Å), b1...b5 (Å²)."],
          "FormFactorTable", "pengText", "The table as text, a line for each species.",
          factors("electron-parameters-kmax6-peng-1996.json", 5, False)
          + factors("electron-parameters-ions-peng-1998.json", 5, False))


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    main(Path(sys.argv[1]))
