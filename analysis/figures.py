#!/usr/bin/env python3
"""Figures of an analysis.nc of `apus analyze`: one of four panels (displacements, stress, energy, radial
distributions), and one of each observable in the file, as PNG and PDF.

usage: figures.py ANALYSIS.nc [--output FOLDER]
"""
import argparse
import sys
from pathlib import Path

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt
import matplotlib.ticker
import netCDF4
import numpy as np

plt.rcParams.update({"font.size": 9, "axes.grid": True, "grid.alpha": 0.25, "legend.frameon": False,
                     "axes.axisbelow": True, "lines.linewidth": 1.2})


class Group:
    """A group of the file: `group["name"]` is an array, `group.names("name")` a list of texts."""

    def __init__(self, group):
        self.group = group

    def __contains__(self, name):
        return name in self.group.variables

    def __getitem__(self, name):
        return np.ma.filled(self.group[name][...].astype(float), np.nan)

    def names(self, name):
        return [str(text) for text in self.group[name][...]]

    def attribute(self, name, variable=None):
        source = self.group[variable] if variable else self.group
        return getattr(source, name, None)


def band(axis, x, y, error, color, **style):
    """A line with its standard error as a band."""
    axis.plot(x, y, color=color, **style)
    known = np.isfinite(error) & np.isfinite(y)
    axis.fill_between(x, y - error, y + error, where=known, color=color, alpha=0.25, lw=0)


def time_axis(axis, times, label="Time"):
    """Scales times in ps to ns where they are long; returns the factor."""
    long = len(times) > 0 and np.nanmax(np.abs(times)) >= 1000
    axis.set_xlabel(f"{label} ({'ns' if long else 'ps'})")
    return 1e-3 if long else 1.0


def thinned(*arrays, most=20000):
    """Every nth value, so that a figure of a long run stays small."""
    step = max(1, arrays[0].shape[-1] // most)
    return [array[..., ::step] for array in arrays]


def draw_msd(axis, msd):
    scale = time_axis(axis, msd["lag"], "Lag")
    lag = msd["lag"] * scale
    for k, name in enumerate(msd.names("element")):
        band(axis, lag, msd["msd"][k], msd["msd_stderr"][k], f"C{k}", label=name)
    if "msd_molecule" in msd:
        band(axis, lag, msd["msd_molecule"], msd["msd_molecule_stderr"], "0.3", ls="--", label="molecules")
    axis.set_ylabel("Mean square displacement (Å²)")
    axis.set_ylim(bottom=0)
    axis.margins(x=0)
    axis.legend(loc="best", ncols=2)


def draw_running(axis, time, mean, deviation, color, label=None, alpha=0.3):
    axis.fill_between(time, mean - deviation, mean + deviation, color=color, alpha=alpha, lw=0, zorder=2)
    axis.plot(time, mean, color=color, label=label, zorder=3)


def draw_stress(axis, stress, components=None):
    """One component with its rows and spread as a band, or all with the spread as dotted lines."""
    time, values, mean, deviation = thinned(
        stress["time"] - stress["time"][0], stress["stress"], stress["running_mean"], stress["running_std"])
    scale = time_axis(axis, time)
    time = time * scale
    names = stress.names("component")
    chosen = components if components is not None else range(len(names))
    for k in chosen:
        label = f"$\\sigma_{{{names[k]}}}$"
        if len(chosen) == 1:
            axis.plot(time, values[k], color="0.8", lw=0.4, label="rows", zorder=1)
            draw_running(axis, time, mean[k], deviation[k], f"C{k}", label=label, alpha=0.4)
        else:
            axis.plot(time, mean[k], color=f"C{k}", label=label, zorder=3)
            for sign in (-1, 1):
                axis.plot(time, mean[k] + sign * deviation[k], color=f"C{k}", lw=0.7, ls=":", zorder=2)
    axis.axhline(0, color="k", lw=0.6)
    axis.set_ylabel("Stress (GPa)")
    axis.margins(x=0)
    low, high = axis.get_ylim()
    axis.set_ylim(low, high + 0.2 * (high - low))
    axis.set_xlim(0, (stress["time"][-1] - stress["time"][0]) * scale or 1)
    window = stress.attribute("window_rows", "running_mean")
    axis.legend(ncols=6 if len(chosen) > 1 else 2, loc="upper right", fontsize=8, columnspacing=1, handlelength=1.2,
                title=f"mean and, dotted, spread of {window} rows" if len(chosen) > 1 else None, title_fontsize=8)


def draw_energy(axis, energy):
    center = float(energy["mean"])
    if "potential_replica" in energy:
        replicas, offset = energy["potential_replica"], energy["time"] - energy["time"][0]
        for values in replicas:
            x, y = thinned(offset, values - center)
            axis.plot(x * (1e-3 if offset[-1] >= 1000 else 1), y, color="0.85", lw=0.3, zorder=0)
    time, values, mean, deviation = thinned(
        energy["time"] - energy["time"][0], energy["potential"], energy["running_mean"], energy["running_std"])
    time = time * time_axis(axis, time)
    axis.plot(time, values - center, color="0.8", lw=0.4, label="rows", zorder=1)
    window = energy.attribute("window_rows", "running_mean")
    draw_running(axis, time, mean - center, deviation, "C0", label=f"mean and spread of {window} rows")
    axis.set_ylabel("Potential energy less its mean (eV)")
    axis.margins(x=0)
    # Room for the legend above the curve.
    low, high = axis.get_ylim()
    axis.set_ylim(low, high + 0.15 * (high - low))
    axis.legend(loc="upper right", ncols=2, fontsize=8)


def draw_rdf(axis, rdf, name="rdf", most=None):
    """Distributions of all pairs; those higher than `most` are cut, where it is given."""
    pairs, windows = rdf.names("pair"), rdf.names("window")
    styles = ["-", "--", ":", "-."]
    curves, errors = rdf[name], rdf[name + "_stderr"]
    for p in range(len(pairs)):
        for w in range(len(windows)):
            band(axis, rdf["r"], curves[w, p], errors[w, p], f"C{p}", ls=styles[w % 4],
                 lw=1.2 if w == 0 else 1.0)
    handles = [plt.Line2D([], [], color=f"C{p}", label=pair) for p, pair in enumerate(pairs)]
    handles += [plt.Line2D([], [], color="0.3", ls=styles[w % 4], label=text) for w, text in enumerate(windows)]
    axis.set_xlabel("Distance r (Å)")
    axis.set_ylabel({"rdf": "g(r)", "rdf_intra": "g(r), inside molecules",
                     "rdf_inter": "g(r), between molecules"}[name])
    axis.set_xlim(0, rdf["r"][-1])
    axis.set_ylim(bottom=0)
    if most:
        axis.set_ylim(top=1.8 * most)
    axis.legend(handles=handles, loc="upper right", fontsize=7 if most else 8, ncols=4 if most else 1,
                columnspacing=1, handlelength=1.5, framealpha=0.8, frameon=True, edgecolor="none")
    return handles


def panels(data):
    """The four panels of a stability run, or those of them that the file has."""
    drawers = [("msd", draw_msd), ("stress", draw_stress), ("energy", draw_energy), ("rdf", draw_rdf)]
    drawers = [(name, draw) for name, draw in drawers if name in data]
    rows, columns = (2, 2) if len(drawers) > 2 else (1, max(1, len(drawers)))
    figure, axes = plt.subplots(rows, columns, figsize=(4.5 * columns, 3.3 * rows), layout="constrained", squeeze=False)
    for axis in axes.flat[len(drawers):]:
        axis.set_axis_off()
    for letter, axis, (name, draw) in zip("abcd", axes.flat, drawers):
        if name == "rdf" and "rdf_inter" in data[name]:
            # Peaks of bonds would leave nothing else to see.
            draw(axis, data[name], most=float(np.nanmax(data[name]["rdf_inter"])))
            axis.set_ylabel("g(r), peaks of bonds cut")
        else:
            draw(axis, data[name])
        axis.set_title(f"({letter})", loc="left", fontweight="bold")
    return figure


def msd_figure(msd):
    figure, axes = plt.subplots(1, 2, figsize=(9, 3.6), layout="constrained")
    draw_msd(axes[0], msd)
    scale = time_axis(axes[1], msd["lag"], "Lag")
    for k, name in enumerate(msd.names("element")):
        for a, (axis_name, style) in enumerate(zip(msd.names("axis"), ["-", "--", ":"])):
            axes[1].plot(msd["lag"] * scale, msd["msd_axis"][k, a], color=f"C{k}", ls=style)
    axes[1].set_ylabel("Along an axis (Å²)")
    axes[1].set_ylim(bottom=0)
    axes[1].margins(x=0)
    handles = [plt.Line2D([], [], color=f"C{k}", label=name) for k, name in enumerate(msd.names("element"))]
    handles += [plt.Line2D([], [], color="0.3", ls=style, label=name)
                for name, style in zip(msd.names("axis"), ["-", "--", ":"])]
    axes[1].legend(handles=handles, fontsize=8, loc="upper left", bbox_to_anchor=(1, 1))
    return figure


def rdf_figure(rdf):
    names = [name for name in ("rdf", "rdf_intra", "rdf_inter") if name in rdf]
    totals = [name for name in ("xray", "neutron") if f"reduced_{name}" in rdf]
    rows = len(names) + bool(totals)
    figure, axes = plt.subplots(rows, 1, figsize=(7.5, 2.8 * rows), layout="constrained", squeeze=False)
    for axis, name in zip(axes.flat, names):
        handles = draw_rdf(axis, rdf, name)
        axis.get_legend().remove()
    axes[0, 0].legend(handles=handles, fontsize=8, loc="upper left", bbox_to_anchor=(1, 1))
    if totals:
        axis = axes[-1, 0]
        for k, name in enumerate(totals):
            for w, window in enumerate(rdf.names("window")):
                band(axis, rdf["r"], rdf[f"reduced_{name}"][w], rdf[f"reduced_{name}_stderr"][w], f"C{k}",
                     ls=["-", "--", ":", "-."][w % 4], label=f"{'X-rays' if name == 'xray' else 'neutrons'}, {window}")
        axis.axhline(0, color="k", lw=0.6)
        axis.set_xlabel("Distance r (Å)")
        axis.set_ylabel("Total G(r) (Å$^{-2}$)")
        axis.set_xlim(0, rdf["r"][-1])
        axis.legend(fontsize=8, loc="upper left", bbox_to_anchor=(1, 1))
    return figure


def stress_figure(stress):
    figure, axes = plt.subplots(3, 3, figsize=(11, 8), layout="constrained")
    names = stress.names("component")
    verdicts = stress.names("stationarity")
    for k, axis in enumerate(axes.flat[:6]):
        draw_stress(axis, stress, [k])
        axis.set_title(f"{names[k]}: {verdicts[k]}", fontsize=9)
    axis = axes[2, 0]
    correlation = stress["autocorrelation"]
    # The beginning shows what matters of most correlations; the rest is noise.
    last = max(2, min(len(stress["lag"]), 200))
    for k, (name, part) in enumerate([("xx, yy, zz", correlation[:3]), ("yz, xz, xy", correlation[3:])]):
        mean = part.mean(axis=0)
        if mean[0] > 0:
            axis.plot(stress["lag"][:last], mean[:last] / mean[0], color=f"C{3 * k}", label=name)
    axis.axhline(0, color="k", lw=0.6)
    axis.set_xlabel("Lag (ps)")
    axis.set_ylabel("Autocorrelation")
    axis.set_ylim(top=1.35)
    axis.legend(ncols=2, fontsize=8, loc="upper right")
    for axis, name, label in [(axes[2, 1], "viscosity", "Shear"), (axes[2, 2], "bulk_viscosity", "Bulk")]:
        if name in stress:
            band(axis, stress["integral_lag"], stress[name], stress[name + "_stderr"], "C0")
            axis.axhline(0, color="k", lw=0.6)
            axis.set_xlabel("Upper end of the integral (ps)")
            axis.set_ylabel(f"{label} viscosity (mPa s)")
            axis.margins(x=0)
        else:
            axis.set_axis_off()
    return figure


def energy_figure(energy):
    figure, axes = plt.subplots(1, 2, figsize=(9, 3.6), layout="constrained", width_ratios=[2, 1])
    draw_energy(axes[0], energy)
    axes[0].set_title("potential energy: " + energy.attribute("stationarity", "potential"), fontsize=9)
    if "histogram" in energy:
        x = energy["deviation"]
        axes[1].bar(x, energy["histogram"], width=x[1] - x[0], color="C0", alpha=0.4, label="run")
        sigma = float(energy["std"])
        fine = np.linspace(x[0], x[-1], 300)
        axes[1].plot(fine, np.exp(-0.5 * (fine / sigma) ** 2) / (sigma * np.sqrt(2 * np.pi)), color="k", label="Gaussian")
        axes[1].set_xlabel("Potential energy less its mean (eV)")
        axes[1].set_ylabel("Density (1/eV)")
        axes[1].legend(fontsize=8)
    return figure


def heat_capacity_figure(heat):
    shown = [(name, label) for name, label in [
        ("cv_per_atom", "$C_V$"), ("cv_from_total_per_atom", "$C_V$, total energy"),
        ("cv_quantum_per_atom", "$C_V$, quantum"), ("cp_per_atom", "$C_P$"),
        ("cp_from_total_per_atom", "$C_P$, enthalpy"), ("cp_quantum_per_atom", "$C_P$, quantum")] if name in heat]
    figure, axis = plt.subplots(figsize=(4.5, 3.2), layout="constrained")
    for k, (name, label) in enumerate(shown):
        interval = heat.attribute("interval_95", name)
        known = interval is not None and np.isfinite(interval)
        axis.errorbar(k, float(heat[name]), yerr=interval if known else None, fmt="o", color=f"C{k}", capsize=4)
    axis.axhline(3, color="k", lw=0.8, ls="--")
    axis.text(len(shown) - 0.55, 3, "3 $k_B$", va="bottom", ha="right")
    axis.set_xticks(range(len(shown)), [label for _, label in shown])
    axis.set_xlim(-0.5, len(shown) - 0.5)
    axis.set_ylabel("Heat capacity ($k_B$ per atom)\nwith 95 % interval")
    return figure


def vacf_figure(vacf):
    figure, axes = plt.subplots(1, 2, figsize=(9, 3.6), layout="constrained")
    for k, name in enumerate(vacf.names("element")):
        if name == "all" and len(vacf.names("element")) == 2:
            continue
        style = {"color": "0.3" if name == "all" else f"C{k}", "ls": "--" if name == "all" else "-", "label": name}
        zero = vacf["vacf"][k, 0]
        axes[0].plot(vacf["lag"], vacf["vacf"][k] / zero, **style)
        band(axes[1], vacf["energy"], vacf["vdos"][k], vacf["vdos_stderr"][k], **style)
    axes[0].axhline(0, color="k", lw=0.6)
    axes[0].set_xlabel("Lag (ps)")
    axes[0].set_ylabel("Velocity autocorrelation")
    axes[0].margins(x=0)
    axes[1].set_xlabel("Energy (meV)")
    axes[1].set_ylabel("Density of states (1/meV)")
    axes[1].set_xlim(0, vacf["energy"][-1])
    scale = vacf["wavenumber"][-1] / vacf["energy"][-1]
    axes[1].secondary_xaxis("top", functions=(lambda e: e * scale, lambda w: w / scale)).set_xlabel("Wavenumber (cm$^{-1}$)")
    axes[1].legend()
    if vacf.attribute("caveat"):
        figure.suptitle(vacf.attribute("caveat"), fontsize=8, color="C3")
    return figure


def molecules_figure(molecules):
    angle = "herringbone_angle" in molecules
    figure, axes = plt.subplots(1 + angle, 1, figsize=(6.5, 2.4 * (1 + angle)), layout="constrained", squeeze=False)
    scale = time_axis(axes[-1, 0], molecules["time"])
    time = molecules["time"] * scale
    axes[0, 0].step(time, molecules["count"], where="post")
    axes[0, 0].set_ylabel("Molecules")
    axes[0, 0].yaxis.set_major_locator(matplotlib.ticker.MaxNLocator(integer=True))
    axes[0, 0].margins(x=0)
    if angle:
        axes[1, 0].plot(time, molecules["herringbone_angle"], lw=0.7)
        axes[1, 0].set_ylabel("Herringbone angle (°)")
        axes[1, 0].margins(x=0)
    return figure


FIGURES = {"msd": msd_figure, "rdf": rdf_figure, "stress": stress_figure, "energy": energy_figure,
           "heat_capacity": heat_capacity_figure, "vacf": vacf_figure, "molecules": molecules_figure}


def main():
    parser = argparse.ArgumentParser(description=__doc__.split(":")[0])
    parser.add_argument("file", type=Path)
    parser.add_argument("--output", type=Path, help="default: the folder of the file")
    arguments = parser.parse_args()
    if not arguments.file.is_file():
        sys.exit(f"{arguments.file}: no file of this name; `apus analyze` writes analysis.nc")
    folder = arguments.output or arguments.file.parent
    folder.mkdir(parents=True, exist_ok=True)
    with netCDF4.Dataset(arguments.file) as file:
        data = {name: Group(group) for name, group in file.groups.items()}
        figures = {"panels": panels(data)} if data.keys() & {"msd", "stress", "energy", "rdf"} else {}
        figures |= {name: draw(data[name]) for name, draw in FIGURES.items() if name in data}
        for name, figure in figures.items():
            for suffix in (".png", ".pdf"):
                figure.savefig(folder / (name + suffix), dpi=150)
            plt.close(figure)
    print(f"wrote {', '.join(figures)} as PNG and PDF into {folder}")


if __name__ == "__main__":
    main()
