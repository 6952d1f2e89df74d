#!/usr/bin/env python3
"""Temperature, pressure, energy and conserved quantity of a run: one figure over all its stages, and a table of
means with standard errors (from the autocorrelation time) over the last four fifths of each.

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


def standard_error(values):
    """Of a mean, with the sum of the autocorrelation up to its first zero."""
    n = len(values)
    deviation = values - values.mean()
    size = 1 << (2 * n - 1).bit_length()
    power = np.abs(np.fft.rfft(deviation, size)) ** 2
    correlation = np.fft.irfft(power, size)[:n]
    if correlation[0] <= 0:
        return 0.0
    correlation = correlation / correlation[0]
    end = int(np.argmax(correlation <= 0)) or n
    inefficiency = 1 + 2 * correlation[1:end].sum()
    return float(np.sqrt(values.var() * inefficiency / n))


def print_averages(parts, atoms):
    for name, data in parts:
        late = slice(len(data["time_ps"]) // 5, None)
        print(f"{name}, the last four fifths:")
        for column in ("temperature_K", "pressure_GPa", "volume_A3", "a_A", "b_A", "c_A"):
            values = data[column][late]
            error = standard_error(values)
            print(f"  {column:14s} {values.mean():14.5f} ± {error:.5f}" if values.std() > 1e-12 * abs(values.mean())
                  else f"  {column:14s} {values.mean():14.5f}")
        if atoms:
            time, energy = data["time_ps"][late] / 1000, data["conserved_eV"][late] * 1000 / atoms
            slope = np.polyfit(time - time.mean(), energy - energy.mean(), 1)[0]
            print(f"  drift of the conserved quantity {slope:+.4f} meV/atom/ns")


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
    print_averages(parts, atoms)
    output = arguments.output or arguments.run / "figure"
    for suffix in (".png", ".pdf"):
        figure.savefig(output.with_suffix(suffix), dpi=160)
    print(f"wrote {output.with_suffix('.png')} and {output.with_suffix('.pdf')}")


if __name__ == "__main__":
    main()
