#!/usr/bin/env python3
"""Chooses frames to label: runs a model at several temperatures and pressures, judges every frame by the spread of
the forces of a committee of models, and writes those that it knows least.

usage: active_learning.py --models A.nep.txt B.nep.txt ... --structure CRYSTAL.xyz --output SELECTED.xyz
                          [--supercells 1,1,1 1,1,2] [--temperatures 300] [--pressures 0 1.5] [--duration 5]
                          [--select 20] [--work DIRECTORY] [--apus PATH]

The first model drives. A run goes on to the first frame whose spread passes --high, or that has lost a bond of the
start: beyond it configurations are of the model's making; that frame itself is a candidate. Of the candidates
beyond --low the runs give theirs in turn, the largest spread first, none nearer than --apart to one taken before.
"""
import argparse
import subprocess
import sys
from pathlib import Path

import numpy as np
from ase.io import iread, read, write
from ase.neighborlist import natural_cutoffs, neighbor_list

DECK = """structure: {structure}
supercell: [{supercell}]
potential: {{model: {model}, precision: mixed}}
timestep: {timestep} fs
seed: {seed}
velocities: {hot} K
stages:
  - name: sample
    ensemble: npt
    temperature: {temperature} K
    pressure: {pressure} GPa
    thermostat: {{kind: langevin, relaxation: 100 fs}}
    duration: {duration} ps
    trajectory: {{every: {every} fs}}
"""


def bonds(atoms):
    i, j = neighbor_list("ij", atoms, natural_cutoffs(atoms, mult=1.2))
    return {(a, b) for a, b in zip(i, j) if a < b}


def lost(atoms, expected, factor=1.5):
    """Bonds of `expected` (pair: length) that are longer than `factor` of their length."""
    pairs = np.array(list(expected))
    # Runs write unwrapped positions, and a molecule that crosses a face keeps its images.
    vectors = atoms.positions[pairs[:, 1]] - atoms.positions[pairs[:, 0]]
    fractional = np.linalg.solve(atoms.cell.array.T, vectors.T).T
    vectors = (fractional - np.round(fractional)) @ atoms.cell.array
    return int((np.linalg.norm(vectors, axis=1) > factor * np.array(list(expected.values()))).sum())


def spread(apus, models, frames, folder):
    """Per frame, the largest root mean square deviation of an atom's force over the models, in eV/Å."""
    forces = []
    for k, model in enumerate(models):
        out = folder / f"committee-{k}.xyz"
        subprocess.run([apus, "evaluate", "--model", model, frames, "--output", out, "--quiet"], check=True)
        forces.append([a.get_forces() for a in iread(out, index=":")])
    result = []
    for members in zip(*forces):
        deviation = np.array(members) - np.mean(members, axis=0)
        result.append(float(np.sqrt((deviation**2).sum(2).mean(0)).max()))
    return result


def main():
    root = Path(__file__).resolve().parents[1]
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--models", nargs="+", type=Path, required=True)
    parser.add_argument("--structure", type=Path, required=True)
    parser.add_argument("--output", type=Path, required=True)
    parser.add_argument("--supercells", nargs="+", default=["1,1,1"])
    parser.add_argument("--temperatures", nargs="+", type=float, default=[300.0])
    parser.add_argument("--pressures", nargs="+", type=float, default=[0.0])
    parser.add_argument("--duration", type=float, default=5.0, help="ps")
    parser.add_argument("--timestep", type=float, default=0.5, help="fs")
    parser.add_argument("--every", type=float, default=250.0, help="fs between frames")
    parser.add_argument("--select", type=int, default=20)
    parser.add_argument("--low", type=float, default=0.1, help="eV/Å")
    parser.add_argument("--high", type=float, default=1.5, help="eV/Å")
    parser.add_argument("--apart", type=float, default=1000.0, help="fs between frames of one run")
    parser.add_argument("--prefix", default="md", help="of the config_type")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--work", type=Path, default=Path("active"))
    parser.add_argument("--apus", type=Path, default=root / ".build/release/apus")
    arguments = parser.parse_args()
    if len(arguments.models) < 2:
        sys.exit("active_learning.py: one model has no spread; give two or more, trained with different seeds")
    arguments.work.mkdir(parents=True, exist_ok=True)

    candidates, seed = [], arguments.seed
    for supercell in arguments.supercells:
        for temperature in arguments.temperatures:
            for pressure in arguments.pressures:
                seed += 1
                name = f"{supercell.replace(',', '')}-{temperature:g}K-{pressure:g}GPa-{seed}"
                deck, run = arguments.work / f"{name}.yaml", arguments.work / name
                deck.write_text(DECK.format(
                    structure=arguments.structure.resolve(), supercell=supercell, seed=seed,
                    model=arguments.models[0].resolve(), timestep=arguments.timestep, hot=2 * temperature,
                    temperature=temperature, pressure=pressure, duration=arguments.duration,
                    every=arguments.every))
                # A run that fails has still sampled up to its end.
                done = subprocess.run([arguments.apus, "run", deck, "--output", run, "--quiet"],
                                      capture_output=True, text=True)
                trajectory, frames = run / "sample/trajectory.nc", run / "frames.xyz"
                if done.returncode == 2 or not trajectory.exists():
                    sys.exit(f"{name}: {done.stderr.strip()}")
                subprocess.run([arguments.apus, "convert", trajectory, frames, "--quiet"], check=True)
                start = read(run / "sample/topology.xyz")
                expected = {(i, j): start.get_distance(i, j, mic=True) for i, j in bonds(start)}
                spreads = spread(arguments.apus, arguments.models, frames, run)
                found, end = [], "whole"
                for k, (atoms, value) in enumerate(zip(iread(frames, index=":"), spreads)):
                    broken = lost(atoms, expected)
                    if value > arguments.low or broken:
                        found.append((value, k, atoms))
                    if broken or value > arguments.high:
                        end = f"{broken} bonds lost" if broken else f"spread {value:.2f}"
                        end += f" at {(k + 1) * arguments.every / 1000:g} ps"
                        break
                lengths = atoms.cell.lengths().round(2)
                print(f"{name}: exit {done.returncode}, {len(spreads)} frames, spread mean {np.mean(spreads):.3f} "
                      f"max {max(spreads):.3f} eV/Å, {end}, a b c {lengths[0]} {lengths[1]} {lengths[2]}", flush=True)
                candidates.append((name, temperature, supercell, sorted(found, key=lambda c: -c[0])))

    chosen, taken = [], {}
    while len(chosen) < arguments.select and any(found for *_, found in candidates):
        for name, temperature, supercell, found in candidates:
            while found and len(chosen) < arguments.select:
                value, k, atoms = found.pop(0)
                if any(abs(k - other) * arguments.every < arguments.apart for other in taken.get(name, [])):
                    continue
                taken.setdefault(name, []).append(k)
                frame = atoms.copy()
                frame.info = {
                    "config_type": f"{arguments.prefix}{temperature:g}"
                                   + ("" if supercell == "1,1,1" else "_" + supercell.replace(",", "")),
                    "source": f"{name}:{k}", "spread": round(value, 4)}
                for key in list(frame.arrays):
                    if key not in ("numbers", "positions"):
                        del frame.arrays[key]
                frame.calc = None
                chosen.append(frame)
                break
    if not chosen:
        print(f"no frame has a spread beyond {arguments.low} eV/Å; nothing written")
        return
    write(arguments.output, chosen, format="extxyz", columns=["symbols", "positions"])
    print(f"{len(chosen)} frames written to {arguments.output}")


if __name__ == "__main__":
    main()
