#!/usr/bin/env python3
"""Figures of a result of apus scatter: what the file holds decides which are drawn.

map       S(q,E) along a path (variable distance, attributes path_labels and path_ticks), or the powder map over |q|
          with the kinematic limits of the instrument (group spectrum: q_low, q_high)
spectra   S(E) at chosen q
stages    S(E) after each stage of the group spectrum: raw, kinematic, resolution, quantum

usage: plot_scattering.py OUT.nc [--output FOLDER] [--function NAME] [--q Q]... [--max MEV] [--branches CSV]
"""
import argparse
import re
import sys
from pathlib import Path

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt
import numpy as np
from netCDF4 import Dataset

HBAR = 658.2119569509067  # one rad/fs in meV
PER_MEV = {"meV": 1, "cm-1": 8.065543937349211, "THz": 1 / 4.135667696923859}
FUNCTIONS = ("Sqw_instrument", "Sqw_corrected", "Sqw_weighted", "Sqw", "Sqw_coh", "Sqw_incoh")
STAGES = (("raw", "all q"), ("kinematic", "kinematics"), ("resolution", "+ resolution"), ("quantum", "+ corrections"))


def values(group, name):
    return np.ma.filled(group.variables[name][:].astype(float), np.nan)


def energies(group):
    if "energy" in group.variables:
        return values(group, "energy")
    return values(group, "omega") * HBAR


def energy_unit(group):
    return getattr(group.variables["energy"], "units", "meV") if "energy" in group.variables else "meV"


def norms(data):
    if "q_norms" in data.variables:
        return values(data, "q_norms")
    return np.linalg.norm(values(data, "q_points"), axis=1)


def save(figure, folder, name):
    for suffix in ("png", "pdf"):
        figure.savefig(folder / f"{name}.{suffix}", dpi=200)
    plt.close(figure)
    print(folder / f"{name}.png")


def unit(variable):
    return getattr(variable, "units", "").replace("angstrom", "Å").replace("^2", "²")


def edges(points):
    """Of cells about rising points."""
    if len(points) == 1:
        return np.array([points[0] - 0.5, points[0] + 0.5])
    inner = 0.5 * (points[1:] + points[:-1])
    return np.concatenate([[2 * points[0] - inner[0]], inner, [2 * points[-1] - inner[-1]]])


def color_range(intensity):
    """The elastic line would leave nothing to see: stop at the 99th percentile of what is inelastic."""
    positive = intensity[np.isfinite(intensity) & (intensity > 0)]
    return (0, float(np.percentile(positive, 99))) if positive.size else (0, 1)


def merged(x, intensity):
    """Rows of equal x averaged, in rising order: zones of a path, points of a shell."""
    levels, index = np.unique(np.round(x, 6), return_inverse=True)
    good = np.isfinite(intensity)
    total = np.zeros((len(levels), intensity.shape[1]))
    count = np.zeros_like(total)
    np.add.at(total, index, np.where(good, intensity, 0))
    np.add.at(count, index, good)
    with np.errstate(invalid="ignore", divide="ignore"):
        return levels, np.where(count > 0, total / count, np.nan)


def draw_map(data, name, folder, limit, branches):
    variable = data.variables[name]
    e = energies(data)
    intensity = values(data, name)
    is_path = "distance" in data.variables
    x, intensity = merged(values(data, "distance") if is_path else norms(data), intensity)
    inelastic = e > 1.5 * (e[1] - e[0])
    figure, axes = plt.subplots(figsize=(7, 4.6), layout="constrained")
    low, high = color_range(intensity[:, inelastic])
    image = axes.pcolormesh(edges(x), edges(e), intensity.T, vmin=low, vmax=high, cmap="viridis", rasterized=True)
    figure.colorbar(image, ax=axes, label=f"{name} ({unit(variable)})", extend="max")
    axes.set_ylim(max(0, e[0]), limit or e[-1])
    axes.set_ylabel(f"energy transfer ({energy_unit(data)})")
    if is_path:
        ticks = np.atleast_1d(getattr(data, "path_ticks", [])).astype(float)
        labels = str(getattr(data, "path_labels", "")).split()
        # X|X1: the same point of another zone.
        labels = [re.sub(r"^(\w+)\|\1\d+$", r"\1", label) for label in labels]
        axes.set_xticks(ticks, [label.replace("GAMMA", "Γ").replace("G", "Γ") for label in labels])
        for tick in ticks:
            axes.axvline(tick, color="white", linewidth=0.6)
        if branches:
            table = np.genfromtxt(branches, delimiter=",", skip_header=1)
            axes.plot(table[:, 0], table[:, 1:], color="white", linewidth=0.7, linestyle=":")
    else:
        axes.set_xlabel("|q| (1/Å)")
        draw_limits(data, axes)
        axes.set_xlim(edges(x)[0], edges(x)[-1])
    save(figure, folder, "map")


def draw_limits(data, axes):
    group = data.groups.get("spectrum")
    if group is None or "q_low" not in group.variables:
        return
    e = energies(group)
    for low, high in zip(np.atleast_2d(values(group, "q_low")), np.atleast_2d(values(group, "q_high"))):
        axes.plot(low, e, color="white", linewidth=1)
        if not np.allclose(low, high, equal_nan=True):
            axes.plot(high, e, color="white", linewidth=1)


def draw_spectra(data, name, folder, limit, chosen):
    x, intensity = merged(norms(data), values(data, name))
    e = energies(data)
    inelastic = e > 1.5 * (e[1] - e[0])
    seen = np.isfinite(intensity[:, inelastic]).any(axis=1) & (x > 0)
    if not seen.any():
        return
    x, intensity = x[seen], intensity[seen]
    wanted = chosen or np.quantile(x, (0.1, 0.35, 0.6, 0.85))
    figure, axes = plt.subplots(figsize=(6, 4), layout="constrained")
    for q in wanted:
        row = int(np.argmin(np.abs(x - q)))
        axes.plot(e, intensity[row], linewidth=1.1, label=f"{x[row]:.2f}")
    top = max(np.nanmax(intensity[int(np.argmin(np.abs(x - q)))][inelastic]) for q in wanted)
    axes.set_ylim(0, 1.08 * top)
    axes.set_xlim(max(0, e[0]), limit or e[-1])
    axes.set_xlabel(f"energy transfer ({energy_unit(data)})")
    axes.set_ylabel(f"{name} ({unit(data.variables[name])})")
    axes.legend(title="|q| (1/Å)", frameon=False)
    save(figure, folder, "spectra")


def draw_stages(group, folder, limit):
    found = [(name, label) for name, label in STAGES if name in group.variables]
    figure, rows = plt.subplots(len(found), 1, figsize=(6, 1.7 * len(found) + 0.6), sharex=True, layout="constrained",
                                squeeze=False)
    coarse = max(np.diff(energies(group))[:1].sum(), 1.5 * PER_MEV.get(energy_unit(group), 1))
    for axes, (name, label) in zip(rows[:, 0], found):
        variable = group.variables[name]
        # Stages after resolution may be on a finer grid, named by the variable's own dimension.
        axis = variable.dimensions[-1]
        e = values(group, axis)
        y = values(group, name)
        axes.plot(e, y, color="tab:blue", linewidth=1)
        inelastic = e > 2 * coarse
        if np.any(np.isfinite(y[inelastic])):
            axes.set_ylim(0, 1.08 * np.nanmax(y[inelastic & (e <= (limit or e[-1]))]))
        axes.set_ylabel(f"S(E)\n({unit(variable)})")
        axes.set_title(label, loc="right", y=0.78, fontsize=10)
        axes.set_xlim(max(0, e[0]), limit or e[-1])
    rows[-1, 0].set_xlabel(f"energy transfer ({energy_unit(group)})")
    save(figure, folder, "stages")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("result", type=Path)
    parser.add_argument("--output", type=Path, help="folder of the figures (default: that of the result)")
    parser.add_argument("--function", help="what to draw (default: the first of " + ", ".join(FUNCTIONS) + ")")
    parser.add_argument("--q", type=float, action="append", help="|q| in 1/Å of a spectrum; may be repeated")
    parser.add_argument("--max", type=float, help="largest energy transfer, in the unit of the file")
    parser.add_argument("--branches", help="CSV of phonon branches over the map: distance (1/Å), energies (meV)")
    arguments = parser.parse_args()
    if not arguments.result.is_file():
        sys.exit(f"{arguments.result}: no such file")
    folder = arguments.output or arguments.result.parent
    folder.mkdir(parents=True, exist_ok=True)
    with Dataset(arguments.result) as data:
        name = arguments.function or next((f for f in FUNCTIONS if f in data.variables), None)
        if name and name not in data.variables:
            sys.exit(f"{arguments.result}: no variable {name}; it has {', '.join(data.variables)}")
        if name:
            draw_map(data, name, folder, arguments.max, arguments.branches)
            draw_spectra(data, name, folder, arguments.max, arguments.q)
        if "spectrum" in data.groups:
            draw_stages(data.groups["spectrum"], folder, arguments.max)


if __name__ == "__main__":
    main()
