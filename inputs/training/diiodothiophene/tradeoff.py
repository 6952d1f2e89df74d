#!/usr/bin/env python3
"""Error against speed of models of several shapes, trained alike on the frames beside this file.

usage: tradeoff.py --output DIR [--epochs 300] [--threads 2] [--apus PATH]

A model that is in DIR is not trained again. Prints Markdown: errors on the test frames (300 K: config types md_300,
therm300 and therm300_112) and speed on the 1152-atom cell.
"""
import argparse
import csv
import json
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[2]
VARIANTS = [
    {},
    {"cutoff": [5.0, 4.0]}, {"cutoff": [5.5, 3.8]}, {"cutoff": [7.0, 4.2]}, {"cutoff": [6.0, 5.0]},
    {"cutoff": {"C": [6.0, 4.2], "H": [4.5, 3.4], "S": [6.0, 4.2], "I": [6.5, 4.5]}},
    {"n_max": [4, 4], "basis_size": [6, 6]}, {"n_max": [8, 8], "basis_size": [10, 10]},
    {"l_max": 3}, {"four_body": False}, {"neurons": 20}, {"neurons": 80},
]


def toml(value):
    if isinstance(value, dict):
        return "{" + ", ".join(f"{k} = {toml(v)}" for k, v in value.items()) + "}"
    return json.dumps(value)


def name(variant):
    text = "-".join(f"{k}-{toml(v)}" for k, v in variant.items()) or "base"
    return "".join(c if c.isalnum() or c in "-." else "_" for c in text)


def train(folder, variant, epochs):
    settings = [f"model.{k}={toml(v)}" for k, v in variant.items()] + [f"training.epochs={epochs}", "training.threads=1"]
    subprocess.run([sys.executable, ROOT / "analysis/train_nep", HERE / "train.toml", "--output", folder,
                    *(x for s in settings for x in ("--set", s))], check=True, stdout=subprocess.DEVNULL)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--output", required=True, type=Path)
    parser.add_argument("--epochs", type=int, default=300)
    parser.add_argument("--threads", type=int, default=2, help="models trained at a time; then threads of the speed")
    parser.add_argument("--apus", default=ROOT / ".build/release/apus", type=Path)
    arguments = parser.parse_args()
    arguments.output.mkdir(parents=True, exist_ok=True)
    folders = [arguments.output / name(v) for v in VARIANTS]
    # speed is measured when no training is left
    with ThreadPoolExecutor(arguments.threads) as pool:
        list(pool.map(lambda fv: train(*fv, arguments.epochs),
                      [(f, v) for f, v in zip(folders, VARIANTS) if not (f / "nep.txt").exists()]))
    print("| model | 300 K: meV/atom | meV/Å | virial meV/atom | all: meV/Å | median meV/Å | ns/day |")
    print("|---|---|---|---|---|---|---|")
    for folder, variant in zip(folders, VARIANTS):
        with open(folder / "errors.csv") as file:
            rows = [r for r in csv.DictReader(file) if r["set"] == "test"]
        column = {k: [c for c in rows[0] if k in c][0] for k in ("energy", "force", "virial")}
        ambient = [r for r in rows if r["config_type"] in ("md_300", "therm300", "therm300_112")]
        atoms = np.array([float(r["atoms"]) for r in ambient])
        mean = lambda k, w: np.sqrt(np.average([float(r[column[k]]) ** 2 for r in ambient], weights=w))
        frames = [float(r["frames"]) for r in ambient]
        others = [r for r in rows if r["config_type"] not in ("rattle", "molecule", "molecule_stretched", "all")]
        total = np.sqrt(np.average([float(r[column["force"]]) ** 2 for r in others],
                                          weights=[float(r["atoms"]) for r in others]))
        median = np.median([float(r[column["force"]]) for r in others])
        out = subprocess.run([arguments.apus, "benchmark", "--model", folder / "nep.txt", "--structure",
                              ROOT / "inputs/structures/diiodothiophene.xyz", "--supercell", "2", "2", "4", "--steps", "300",
                              "--precision", "mixed", "--threads", str(arguments.threads), "--json", "--quiet"],
                             check=True, capture_output=True, text=True).stdout
        words = ", ".join(f"{k} {toml(v)}" for k, v in variant.items()) or "as train.toml"
        print(f"| {words} | {mean('energy', frames):.2f} | {mean('force', atoms):.1f} | {mean('virial', frames):.2f} | "
              f"{total:.1f} | {median:.1f} | {json.loads(out)['ns_per_day']:.1f} |", flush=True)


if __name__ == "__main__":
    main()
