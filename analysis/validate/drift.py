#!/usr/bin/env python3
"""Drift of the conserved quantity: 512 silicon atoms, 300 K, 1 fs, in NVE, NVT and NPT.

usage: drift.py [--apus PATH] [--model MODEL] [--precision double] [--duration 100] [--output FOLDER]

Each ensemble is equilibrated for 5 ps and then run; the slope is a least-squares line through the conserved
quantity of every 10th step. The bound is 0.05 meV/atom/ns (double precision).
"""
import argparse
import csv
import subprocess
import sys
from pathlib import Path

import numpy as np

DECK = """structure: {structure}
supercell: [4, 4, 4]
potential: {{model: {model}, precision: {precision}}}
timestep: 1 fs
seed: 7
velocities: 600 K
stages:
  - {{name: equilibrate, ensemble: nvt, temperature: 300 K, thermostat: {{kind: bussi, relaxation: 100 fs}}, duration: 5 ps}}
  - {{name: measure, {ensemble}, duration: {duration} ps, thermo: {{every: 10 fs}}}}
"""
ENSEMBLES = {
    "nve": "ensemble: nve",
    "nvt": "ensemble: nvt, temperature: 300 K",
    "npt": "ensemble: npt, temperature: 300 K, pressure: 0 GPa",
}


def main():
    root = Path(__file__).resolve().parents[2]
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--apus", default=root / ".build/release/apus")
    parser.add_argument("--model", default=root / "inputs/models/silicon-stillinger-weber.txt", type=Path)
    parser.add_argument("--precision", default="double")
    parser.add_argument("--duration", default=100, type=float)
    parser.add_argument("--output", default=root / ".build/validate/drift", type=Path)
    arguments = parser.parse_args()
    arguments.output.mkdir(parents=True, exist_ok=True)
    worst = 0
    for name, ensemble in ENSEMBLES.items():
        deck = arguments.output / f"{name}-{arguments.precision}.yaml"
        deck.write_text(DECK.format(
            structure=root / "inputs/structures/silicon.xyz", model=arguments.model.resolve(),
            precision=arguments.precision, ensemble=ensemble, duration=arguments.duration))
        run = arguments.output / f"{name}-{arguments.precision}"
        subprocess.run(["rm", "-rf", run], check=True)
        subprocess.run([arguments.apus, "run", deck, "--output", run, "--quiet"], check=True)
        with open(run / "measure/thermo.csv", newline="") as file:
            rows = list(csv.DictReader(file))
        time = np.array([float(row["time_ps"]) for row in rows]) / 1000
        energy = np.array([float(row["conserved_eV"]) for row in rows]) * 1000 / 512
        slope, offset = np.polyfit(time, energy, 1)
        spread = np.std(energy - slope * time - offset)
        temperature = np.mean([float(row["temperature_K"]) for row in rows])
        print(f"{name} {arguments.precision}: drift {slope:+.4f} meV/atom/ns, spread about the line "
              f"{spread:.5f} meV/atom, mean T {temperature:.2f} K", flush=True)
        worst = max(worst, abs(slope))
    if arguments.precision == "double" and worst >= 0.05:
        sys.exit("drift beyond 0.05 meV/atom/ns")


if __name__ == "__main__":
    main()
