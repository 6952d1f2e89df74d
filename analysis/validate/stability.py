#!/usr/bin/env python3
"""Whether a crystal holds in long runs: constant pressure over a grid of temperatures and pressures.

usage: stability.py --model MODEL --structure CRYSTAL.xyz --output DIR [--supercell 2 2 4]
                    [--temperatures 100 200 300 400] [--pressures 0 1.5 3] [--duration 100] [--limit SECONDS]
                    [--apus PATH]

Runs that are there are taken up where they stopped, so the grid can be done in pieces of --limit seconds. Prints a
Markdown table: bonds longer than 1.35 of their length in the structure, in any frame; mean square displacement of
the centres of the molecules, in the cell's own coordinates, over the second and the last quarter of the run (a
crystal: the same); drift of the conserved quantity; mean cell over the second half.
"""
import argparse
import csv
import subprocess
import time
from pathlib import Path

import numpy as np
from ase.io import read
from ase.neighborlist import natural_cutoffs, neighbor_list
from scipy.io import netcdf_file

from crystal import molecules

DECK = """structure: {structure}
supercell: [{supercell}]
potential: {{model: {model}, precision: mixed}}
timestep: 1 fs
seed: {seed}
velocities: {hot} K
stages:
  - name: npt
    ensemble: npt
    temperature: {temperature} K
    pressure: {pressure} GPa
    duration: {duration} ps
    thermo: {{every: 100 fs}}
    trajectory: {{every: 500 fs}}
checkpoint: {{every: 1 min}}
"""


def judged(folder, repeats):
    atoms = read(folder / "npt" / "topology.xyz")
    i, j = neighbor_list("ij", atoms, natural_cutoffs(atoms, mult=1.2))
    i, j = i[i < j], j[i < j]
    with netcdf_file(folder / "npt" / "trajectory.nc", mmap=False) as file:
        cells, positions = file.variables["cell_lengths"][:].copy(), file.variables["coordinates"][:].copy()
    whole = np.array([atoms.get_distance(a, b, mic=True) for a, b in zip(i, j)])
    lost = 0
    for lengths, x in zip(cells, positions):
        v = x[j] - x[i]
        v -= lengths * np.round(v / lengths)
        lost = max(lost, int((np.linalg.norm(v, axis=1) > 1.35 * whole).sum()))
    masses = atoms.get_masses()
    mean = cells[len(cells) // 2:].mean(0)
    scaled = positions / cells[:, None]
    # an atom of a molecule may stand in another image than the rest; its displacement is the same
    centres = np.array([(masses[m, None] * scaled[:, m]).sum(1) / masses[m].sum() for m in molecules(atoms)]) * mean
    centres -= centres.mean(0)
    moved = ((centres - centres[:, :1]) ** 2).sum(2).mean(0)
    quarter = len(moved) // 4
    with open(folder / "npt" / "thermo.csv") as file:
        rows = list(csv.DictReader(file))
    t, conserved = (np.array([float(r[k]) for r in rows]) for k in ("time_ps", "conserved_eV"))
    drift = np.polyfit(t, conserved, 1)[0] * 1e6 / len(atoms)
    return lost, moved[quarter:2 * quarter].mean(), moved[-quarter:].mean(), drift, mean / repeats


def main():
    root = Path(__file__).resolve().parents[2]
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--model", required=True, type=Path)
    parser.add_argument("--structure", required=True, type=Path)
    parser.add_argument("--output", required=True, type=Path)
    parser.add_argument("--supercell", nargs=3, type=int, default=[2, 2, 4])
    parser.add_argument("--temperatures", nargs="+", type=float, default=[100, 200, 300, 400], help="K")
    parser.add_argument("--pressures", nargs="+", type=float, default=[0, 1.5, 3], help="GPa")
    parser.add_argument("--duration", type=float, default=100, help="ps")
    parser.add_argument("--limit", type=float, default=float("inf"), help="start no run after this many seconds")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--apus", default=root / ".build/release/apus", type=Path)
    arguments = parser.parse_args()
    arguments.output.mkdir(parents=True, exist_ok=True)
    begin = time.time()
    print("| T, K | P, GPa | bonds lost | centres moved, Å2: second quarter | last quarter | drift, meV/atom/ns | a | b | c, Å |")
    print("|---|---|---|---|---|---|---|---|---|")
    # the hottest first: they fail first
    for number, (temperature, pressure) in enumerate(
            (t, p) for t in sorted(arguments.temperatures, reverse=True) for p in arguments.pressures):
        left = begin + arguments.limit - time.time()
        if left < 60:
            break
        folder = arguments.output / f"{temperature:g}K-{pressure:g}GPa"
        deck = folder.with_suffix(folder.suffix + ".yaml")
        deck.write_text(DECK.format(
            structure=arguments.structure.resolve(), supercell=", ".join(map(str, arguments.supercell)),
            model=arguments.model.resolve(), seed=number + 1, hot=2 * temperature, temperature=temperature,
            pressure=pressure, duration=arguments.duration))
        limit = ["--max-walltime", f"{left:.0f} s"] if np.isfinite(left) else []
        resume = ["--resume"] if folder.exists() else []
        status = subprocess.run([arguments.apus, "run", deck, "--output", folder, "--threads", str(arguments.threads),
                                 "--quiet", *limit, *resume], stdout=subprocess.DEVNULL).returncode
        if status not in (0, 75):
            print(f"| {temperature:g} | {pressure:g} | the run failed: {folder}/apus.log |", flush=True)
            continue
        if status == 75:
            break
        lost, early, late, drift, cell = judged(folder, np.array(arguments.supercell))
        print(f"| {temperature:g} | {pressure:g} | {lost} | {early:.3f} | {late:.3f} | {drift:+.2f} | "
              + " | ".join(f"{x:.3f}" for x in cell) + " |", flush=True)


if __name__ == "__main__":
    main()
