#!/usr/bin/env python3
"""Relaxation of a rattled and sheared 8-atom silicon cell under 1.5 GPa: a `minimize` stage of Apus against ASE
(FrechetCellFilter, BFGS) with calorine.

usage: relaxation.py --model Si_2022_NEP4_4body.txt [--apus PATH]
"""
import argparse
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
from ase import units
from ase.build import bulk
from ase.filters import FrechetCellFilter
from ase.io import read, write
from ase.optimize import BFGS
from calorine.calculators import CPUNEP

DECK = """structure: start.xyz
potential: {{model: {model}, precision: double}}
stages:
  - {{name: relax, ensemble: minimize, cell: {coupling}, pressure: 1.5 GPa, force: 1e-4 eV/A, steps: 2000}}
"""


def main():
    root = Path(__file__).resolve().parents[2]
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--model", required=True, type=Path)
    parser.add_argument("--apus", default=root / ".build/release/apus", type=Path)
    arguments = parser.parse_args()
    start = bulk("Si", "diamond", a=5.43, cubic=True)
    start.rattle(0.08, seed=4)
    start.set_cell(start.cell.array @ [[1.02, 0.03, 0], [0, 0.99, 0.02], [0, 0, 1.01]], scale_atoms=True)
    failed = False
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        write(folder / "start.xyz", start, format="extxyz")
        for coupling in ("isotropic", "triclinic"):
            # The text holds eight decimals; both sides start from them.
            theirs = read(folder / "start.xyz")
            theirs.calc = CPUNEP(str(arguments.model))
            cell = FrechetCellFilter(
                theirs, scalar_pressure=1.5 * units.GPa, hydrostatic_strain=coupling == "isotropic")
            BFGS(cell, logfile=None).run(fmax=1e-5, steps=2000)
            deck = folder / f"{coupling}.yaml"
            deck.write_text(DECK.format(model=arguments.model.resolve(), coupling=coupling))
            subprocess.run([arguments.apus, "run", deck, "--output", folder / coupling, "--quiet"], check=True)
            ours = read(folder / coupling / "final.xyz")
            ours.calc = CPUNEP(str(arguments.model))
            stress = ours.get_stress(voigt=False) / units.GPa
            off = stress + 1.5 * np.eye(3) if coupling == "triclinic" else np.trace(stress) / 3 + 1.5
            print(f"{coupling}: Apus E {ours.get_potential_energy():.6f} eV, V {ours.get_volume():.4f} Å3; "
                  f"ASE E {theirs.get_potential_energy():.6f}, V {theirs.get_volume():.4f}; left in ours: "
                  f"force {np.abs(ours.get_forces()).max():.1e} eV/Å, stress {1000 * np.abs(off).max():.3f} MPa")
            failed |= np.abs(off).max() > 1e-3
            failed |= abs(ours.get_volume() / theirs.get_volume() - 1) > 1e-5
    if failed:
        sys.exit("relaxation: not within 1 MPa, or 1e-5 of the volume")


if __name__ == "__main__":
    main()
