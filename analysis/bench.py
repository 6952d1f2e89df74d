#!/usr/bin/env python3
"""Speed of NEP models against NEP_CPU (calorine's C++ core), run alternately on the same structures.

usage: bench.py [--models DIRECTORY] [--apus PATH] [--rounds N] [--sizes]

A round is one `apus benchmark` (MD steps: forces, virial, list rebuilds, integration) in each precision
and as many `compute` calls of NEP_CPU (which rebuilds its list every time) as take about as long.
Prints medians over rounds and their ratio, of the model in inputs/models and of those two of GPUMD that DIRECTORY
holds. --sizes adds a series of 10^3 to 10^6 atoms.
"""
import argparse
import json
import statistics
import subprocess
import tempfile
import time
from pathlib import Path

import numpy as np
from ase.build import bulk
from ase.io import read, write
from calorine.calculators import CPUNEP

INPUTS = Path(__file__).resolve().parents[1] / "inputs"
UNEP = "Ag Al Au Cr Cu Mg Mo Ni Pb Pd Pt Ta Ti V W Zr".split()


def silicon(cells):
    atoms = bulk("Si", "diamond", a=5.43, cubic=True) * cells
    atoms.rattle(0.05, seed=1)
    return atoms


def alloy():
    atoms = bulk("Cu", "fcc", a=4.05, cubic=True) * (6, 6, 7)
    atoms.symbols = np.random.default_rng(2).choice(UNEP, len(atoms))
    atoms.rattle(0.05, seed=3)
    return atoms


def molecules():
    atoms = read(INPUTS / "structures/diiodothiophene.xyz") * (2, 2, 4)
    atoms.rattle(0.05, seed=4)
    return atoms


def peer(model, atoms, seconds):
    """Atom-steps per second of NEP_CPU's compute(), Python overhead excluded."""
    calculator = CPUNEP(str(model))
    atoms = atoms.copy()
    atoms.calc = calculator
    atoms.get_potential_energy()
    rates, start = [], time.perf_counter()
    while time.perf_counter() - start < seconds or len(rates) < 3:
        begin = time.perf_counter()
        calculator.nepy.get_potential_forces_and_virials()
        rates.append(len(atoms) / (time.perf_counter() - begin))
    return statistics.median(rates)


def ours(apus, model, path, precision, threads, steps):
    output = subprocess.run(
        [apus, "benchmark", "--model", model, "--structure", path, "--steps", str(steps), "--precision",
         precision, "--threads", str(threads), "--json", "--quiet"],
        check=True, capture_output=True, text=True).stdout
    return json.loads(output)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--models", type=Path)
    parser.add_argument("--apus", default=".build/release/apus")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--sizes", action="store_true")
    arguments = parser.parse_args()
    if arguments.sizes and not arguments.models:
        parser.error("--sizes needs --models")
    cases = [(INPUTS / "models/diiodothiophene.nep.txt", "2,5-diiodothiophene 1152", molecules())]
    if arguments.models:
        silicon_model = arguments.models / "Si_2022_NEP4_4body.txt"
        cases += [(silicon_model, "silicon 8000", silicon(10)),
                  (arguments.models / "UNEP-v1.txt", "16-species alloy 1008", alloy())]
    settings = [("double", 1), ("mixed", 1), ("double", 2), ("mixed", 2)]
    with tempfile.TemporaryDirectory() as folder:
        print("| case | NEP_CPU, 1 thread | " + " | ".join(f"{p}, {t} thr" for p, t in settings) + " |")
        for model, name, atoms in cases:
            path = str(Path(folder) / "frame.xyz")
            write(path, atoms, format="extxyz", columns=["symbols", "positions"])
            steps = max(20, 400_000 // len(atoms))
            rates = {key: [] for key in ["peer", *settings]}
            for _ in range(arguments.rounds):
                rates["peer"].append(peer(model, atoms, 3))
                for precision, threads in settings:
                    rates[precision, threads].append(
                        ours(arguments.apus, str(model), path, precision, threads, steps)["atom_steps_per_second"])
            base = statistics.median(rates["peer"])
            cells = []
            for key in settings:
                ratios = [a / b for a, b in zip(rates[key], rates["peer"])]
                cells.append(f"{statistics.median(rates[key]):.3g} ({statistics.median(ratios):.1f}×)")
            print(f"| {name} | {base:.3g} | " + " | ".join(cells) + " |", flush=True)
            for precision in ("double", "mixed"):
                gain = [b / a for a, b in zip(rates[precision, 1], rates[precision, 2])]
                print(f"  {precision}, two threads over one, by round: " + " ".join(f"{g:.2f}" for g in gain), flush=True)
        if arguments.sizes:
            for cells in (5, 11, 23, 50):
                atoms = silicon(cells)
                path = str(Path(folder) / "frame.xyz")
                write(path, atoms, format="extxyz", columns=["symbols", "positions"])
                result = ours(arguments.apus, str(silicon_model), path, "mixed", 1,
                              max(3, 300_000 // len(atoms)))
                print(f"{len(atoms)} atoms, mixed, 1 thread: {1e6 / result['atom_steps_per_second']:.2f} µs per atom "
                      f"and step, {result['peak_memory_MB']:.0f} MB", flush=True)


if __name__ == "__main__":
    main()
