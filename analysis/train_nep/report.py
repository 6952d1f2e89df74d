"""What is written at the end: table of errors, figures, model card."""

import csv
import hashlib
import math
from datetime import date

import numpy as np
import torch

from .model import NEP, Store


def evaluate(parameters, shape, environments, dtype=torch.float64):
    """Energy, forces (order of the environment) and virial of every frame by a model, one frame at a time."""
    model = NEP(shape, dtype).set_plain(*parameters)
    store = Store(environments, shape, dtype)
    results = []
    with torch.no_grad():
        for k in range(len(environments)):
            energy, forces, virial = model(store.batch([k]))
            results.append((float(energy[0]), forces.numpy(), virial[0].numpy()))
    return results


def table(frames, environments, results, sets, energies):
    """Rows set, config type, frames, atoms, RMSE of energy (meV/atom), forces (meV/Å), virial (meV/atom)."""
    rows = []
    for name, members in sets.items():
        types = sorted({frames[k].config_type for k in members})
        for config_type in types + (["all"] if len(types) != 1 else []):
            chosen = [k for k in members if config_type in ("all", frames[k].config_type)]
            if not chosen:
                continue
            atoms = sum(len(frames[k]) for k in chosen)
            de = [(results[k][0] - relative(frames[k], energies)) / len(frames[k]) for k in chosen]
            df = sum(((results[k][1] - frames[k].forces[environments[k].order]) ** 2).sum() for k in chosen)
            dv = [((results[k][2] - frames[k].virial) / len(frames[k])) ** 2 for k in chosen
                  if frames[k].virial is not None]
            rows.append([name, config_type, len(chosen), atoms, 1e3 * math.sqrt(np.mean(np.square(de))),
                         1e3 * math.sqrt(df / (3 * atoms)), 1e3 * math.sqrt(np.mean(dv)) if dv else math.nan])
    return rows


def relative(frame, energies):
    return frame.energy - sum(energies[s] for s in frame.symbols)


TABLE = ["set", "config_type", "frames", "atoms", "energy_rmse_meV_per_atom", "force_rmse_meV_per_A",
         "virial_rmse_meV_per_atom"]


def write_table(path, rows):
    with open(path, "w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(TABLE)
        writer.writerows([[f"{v:.4f}" if isinstance(v, float) else v for v in row] for row in rows])


def print_table(rows, say):
    say(f"{'set':<11}{'config type':<18}{'frames':>7}{'atoms':>8}{'meV/atom':>10}{'meV/Å':>9}{'virial meV/atom':>17}")
    for row in rows:
        say(f"{row[0]:<11}{row[1]:<18}{row[2]:>7}{row[3]:>8}{row[4]:>10.2f}{row[5]:>9.1f}{row[6]:>17.2f}")


def figures(folder, history, frames, environments, results, sets, energies):
    import matplotlib
    matplotlib.use("Agg")
    import matplotlib.pyplot as plt

    plt.rcParams.update({"font.size": 9, "axes.spines.top": False, "axes.spines.right": False, "lines.linewidth": 1.2})
    rows = np.array([[float(v) for v in row] for row in history])
    if len(rows):
        figure, axes = plt.subplots(1, 2, figsize=(8, 3.2), constrained_layout=True)
        axes[0].loglog(rows[:, 0], rows[:, 3], label="training")
        axes[0].loglog(rows[:, 0], rows[:, 4], label="validation")
        axes[0].set(xlabel="epoch", ylabel="loss")
        axes[0].legend(frameon=False)
        for column, label in ((5, "energy, meV/atom"), (6, "forces, meV/Å"), (7, "virial, meV/atom")):
            axes[1].loglog(rows[:, 0], 1e3 * rows[:, column], label=label)
        axes[1].set(xlabel="epoch", ylabel="RMSE of the validation set")
        axes[1].set_ylim(top=5 * axes[1].get_ylim()[1])
        axes[1].legend(frameon=False, loc="upper right")
        figure.savefig(folder / "learning-curve.png", dpi=160)
        plt.close(figure)

    figure, axes = plt.subplots(1, 3, figsize=(10, 3.4), constrained_layout=True)
    colors = {"train": "0.65", "validation": "tab:blue", "test": "tab:red"}
    for name, members in sets.items():
        if not members:
            continue
        columns = (
            ([relative(frames[k], energies) / len(frames[k]) for k in members],
             [results[k][0] / len(frames[k]) for k in members]),
            (np.concatenate([frames[k].forces[environments[k].order].ravel() for k in members]),
             np.concatenate([results[k][1].ravel() for k in members])),
            ([v for k in members if frames[k].virial is not None for v in frames[k].virial.ravel() / len(frames[k])],
             [v for k in members if frames[k].virial is not None for v in results[k][2].ravel() / len(frames[k])]))
        for axis, (x, y), size in zip(axes, columns, (8, 2, 6)):
            axis.plot(x, y, "o", ms=size**0.5, mew=0, color=colors[name], label=name, rasterized=True)
    for axis, what in zip(axes, ("energy, eV/atom", "force, eV/Å", "virial, eV/atom")):
        low, high = min(axis.get_xlim()[0], axis.get_ylim()[0]), max(axis.get_xlim()[1], axis.get_ylim()[1])
        axis.plot([low, high], [low, high], color="black", lw=0.6)
        axis.set(xlabel=f"label: {what}", ylabel="model", xlim=(low, high), ylim=(low, high), aspect="equal")
    axes[0].legend(frameon=False)
    figure.savefig(folder / "parity.png", dpi=160)
    plt.close(figure)


def checksum(path):
    return hashlib.sha256(path.read_bytes()).hexdigest()


def model_card(path, config, training, zero, sets, rows, files, verified):
    shape, options = config.shape, config.values["training"]
    lines = ["file: nep.txt", f"sha256: {checksum(path.parent / 'nep.txt')}", f"written: {date.today().isoformat()}",
             "kind: nep4", f"elements: {' '.join(shape.elements)}",
             "cutoffs (radial, angular), Å: " + ", ".join(f"{e} {c[0]:g} {c[1]:g}" for e, c in zip(shape.elements, shape.cutoffs)),
             f"n_max {shape.n_max[0]} {shape.n_max[1]}, basis_size {shape.basis[0]} {shape.basis[1]}, l_max {shape.l_max}, "
             f"222 channel {'on' if shape.four_body else 'off'}, neurons {shape.neurons}, inputs {shape.descriptors}"]
    lines += [f"data: {f}  sha256 {checksum(f)}" for f in files]
    lines += [f"{name} frames: {len(members)}" for name, members in sets.items()]
    if any(zero.values()):
        lines.append("energies of the file: total energy less, per atom in eV, "
                     + ", ".join(f"{e} {zero[e]:.6f}" for e in shape.elements)
                     + "; forces, virials and differences at fixed composition do not depend on it")
    else:
        lines.append("energies of the file: total energies")
    lines.append(f"seed {options['seed']}, epochs run {training.epoch} (best {training.best_epoch}), {training.seconds:.0f} s, "
                 f"torch {torch.__version__}, device {training.store.device}, threads {torch.get_num_threads()}")
    lines.append(f"training ended: {training.stopped or 'all epochs done'}")
    lines.append(verified)
    lines.append("RMSE (float64, from the file read back):")
    with open(path, "w") as file:
        file.write("\n".join(lines) + "\n")
        print_table(rows, lambda text: file.write("  " + text + "\n"))
