#!/usr/bin/env python3
"""Errors of a model on labelled frames, by config_type: a Markdown table.

usage: labels.py --model MODEL [--shift EV_PER_ATOM] [--apus PATH] LABELLED.xyz...

--shift is what the energies of the model's file lack, in eV per atom (the card of a trained model says it).
"""
import argparse
import subprocess
import tempfile
from pathlib import Path

import numpy as np
from ase.io import read

GPA = 160.21766


def rms(x):
    return np.sqrt(np.mean(np.concatenate([np.ravel(v) for v in x]) ** 2))


def main():
    root = Path(__file__).resolve().parents[2]
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--model", required=True, type=Path)
    parser.add_argument("--shift", type=float, default=0)
    parser.add_argument("--apus", default=root / ".build/release/apus", type=Path)
    parser.add_argument("frames", nargs="+", type=Path)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "model.xyz"
        subprocess.run([arguments.apus, "evaluate", "--model", arguments.model, *arguments.frames, "--precision",
                        "double", "--output", out, "--quiet"], check=True)
        model = read(out, ":")
    labels = [a for path in arguments.frames for a in read(path, ":")]
    kinds = {}
    for label, ours in zip(labels, model, strict=True):
        n = len(label)
        energy = (ours.get_potential_energy() - label.get_potential_energy()) / n + arguments.shift
        force = ours.get_forces() - label.get_forces()
        # −V·stress, of which a virial per atom is the nth part
        stress = ours.get_stress(voigt=False) - label.get_stress(voigt=False)
        pressure = -np.trace(stress) / 3 * GPA
        kinds.setdefault(label.info.get("config_type", "none"), []).append(
            (n, energy, force, stress * label.get_volume() / n, pressure))
    print("| config_type | frames | atoms | energy, meV/atom | forces, meV/Å | virial, meV/atom | pressure, GPa |")
    print("|---|---|---|---|---|---|---|")
    for kind, rows in kinds.items():
        n, energy, force, virial, pressure = zip(*rows)
        print(f"| {kind} | {len(n)} | {sum(n)} | {1e3 * rms(energy):.2f} | {1e3 * rms(force):.0f} | "
              f"{1e3 * rms(virial):.1f} | {rms(pressure):.3f} |")


if __name__ == "__main__":
    main()
