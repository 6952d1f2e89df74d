#!/usr/bin/env python3
"""Temperature, pressure, energy and conserved quantity of a run: one figure over all its stages. Means with errors
are what `apus analyze RUN_DIRECTORY/STAGE` prints.

usage: plot_run.py RUN_DIRECTORY [--output FIGURE_WITHOUT_SUFFIX]
"""
import argparse
import csv
import re
import sys
from pathlib import Path

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt
import numpy as np


def stages(run):
    """(name, columns) of every stage of the run that wrote rows, in the order of the run."""
    found = []
    for path in run.glob("*/thermo.csv"):
        with open(path, newline="") as file:
            rows = list(csv.DictReader(file))
        if rows:
            columns = {key: np.array([float(row[key]) for row in rows]) for key in rows[0]}
            if "time_ps" in columns and len(columns["time_ps"]) > 1:
                found.append((path.parent.name, columns))
    return sorted(found, key=lambda stage: stage[1]["step"][0])


def running_mean(values, window):
    kernel = np.ones(window) / window
    return np.convolve(values, kernel, mode="valid")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("run", type=Path)
    parser.add_argument("--output", type=Path, help="default: RUN_DIRECTORY/figure")
    arguments = parser.parse_args()
    parts = stages(arguments.run)
    if not parts:
        sys.exit(f"{arguments.run}: no stage with two rows of thermo.csv; is this a run directory?")
    atoms = None
    topology = list(arguments.run.glob("*/topology.xyz")) or list(arguments.run.glob("final.xyz"))
    if topology:
        atoms = int(re.match(r"\s*(\d+)", topology[0].read_text()).group(1))

    per_atom = 1000 / atoms if atoms else 1
    unit = "meV/atom" if atoms else "eV"
    panels = [
        ("temperature_K", "Temperature (K)", 1, False),
        ("pressure_GPa", "Pressure (GPa)", 1, False),
        ("potential_eV", f"Potential energy\nabout its mean ({unit})", per_atom, True),
        ("conserved_eV", f"Conserved quantity\nchange ({unit})", per_atom, None),
    ]
    figure, axes = plt.subplots(4, 1, figsize=(7.2, 8.4), sharex=True, layout="constrained")
    for axis, (column, label, scale, centered) in zip(axes, panels):
        for index, (name, data) in enumerate(parts):
            time = data["time_ps"]
            values = data[column] * scale
            if centered:
                values = values - values.mean()
            elif centered is None:
                values = values - values[0]
            color = f"C{index}"
            axis.plot(time, values, color=color, lw=0.6, alpha=0.45)
            window = max(2, len(values) // 20)
            mean = running_mean(values, window)
            axis.plot(time[window // 2 : window // 2 + len(mean)], mean, color=color, lw=1.6, label=name)
        axis.set_ylabel(label)
        axis.grid(alpha=0.25)
        axis.margins(x=0.01)
    axes[0].legend(title="stage (thick: running mean)", ncols=len(parts), fontsize=9, frameon=False)
    axes[-1].set_xlabel("Time (ps)")
    output = arguments.output or arguments.run / "figure"
    for suffix in (".png", ".pdf"):
        figure.savefig(output.with_suffix(suffix), dpi=160)
    print(f"wrote {output.with_suffix('.png')} and {output.with_suffix('.pdf')}")


if __name__ == "__main__":
    main()
