"""Trains a NEP4 potential on labelled frames.

usage: python analysis/train_nep CONFIG.toml --output DIRECTORY [--seed N] [--set TABLE.KEY=VALUE ...] [--resume]

Writes nep.txt, learning-curve.csv, errors.csv, split.csv, model-card.txt, figures and checkpoint.pt into
DIRECTORY. A file STOP put there ends the training after the epoch, with the best model so far.
See docs/training.md.
"""

import argparse
import os
import signal
import sys
from pathlib import Path

if not __package__:
    sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
    __package__ = "train_nep"

# Threads that spin while they wait make two of them slower than one on a machine that does other work too.
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")

import numpy as np

from .config import load_config
from .dataset import load_dataset
from .environment import environment
from .frames import InputError


def main(arguments=None):
    parser = argparse.ArgumentParser(prog="train_nep", description=__doc__.split("\n")[0])
    parser.add_argument("config", help="TOML configuration")
    parser.add_argument("--output", required=True, help="directory for everything that is written")
    parser.add_argument("--seed", type=int, help="instead of training.seed: one model of an ensemble")
    parser.add_argument("--set", action="append", default=[], metavar="TABLE.KEY=VALUE", dest="settings")
    parser.add_argument("--resume", action="store_true", help="go on from the checkpoint in the output directory")
    parser.add_argument("--check", action="store_true", help="check the input and stop")
    options = parser.parse_args(arguments)
    if options.seed is not None:
        options.settings.append(f"training.seed={options.seed}")
    try:
        return run(options)
    except InputError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2


def run(options):
    config = load_config(options.config, options.settings)
    folder = Path(options.output)
    checkpoint = folder / "checkpoint.pt"
    if options.resume and not checkpoint.exists():
        raise InputError(f"{folder}: no checkpoint.pt, expected one to resume; leave out --resume")
    if not options.resume and not options.check and folder.exists() and any(folder.iterdir()):
        raise InputError(f"{folder}: is not empty, expected a new directory; remove it, name another, or --resume")
    try:
        import torch
    except ImportError:
        raise InputError("python: no torch, expected PyTorch; pip install torch") from None
    values = config.values["training"]
    torch.set_num_threads(values["threads"])
    device = values["device"]
    if device == "auto":
        device = "cuda" if torch.cuda.is_available() else "cpu"
    if device == "cuda" and not torch.cuda.is_available():
        raise InputError(f"{config.source}: training.device: found 'cuda', but this machine has none; use cpu or auto")

    data = load_dataset(config)
    frames, environments, sets, energies = data.frames, data.environments, data.sets, data.energies
    lines = []

    def say(text):
        lines.append(text)
        print(text, flush=True)

    atoms = sum(len(f) for f in frames)
    held = sum(getattr(e, name).nbytes for e in environments for name in e.__dataclass_fields__
               if isinstance(getattr(e, name), np.ndarray))
    held += sum(m.nbytes for e in environments for m in e.radial_moments + e.angular_moments)
    say(f"{len(frames)} frames, {atoms} atoms: {len(sets['train'])} train, {len(sets['validation'])} validation, "
        f"{len(sets['test'])} test; {held / 1e6:.0f} MB of neighbours")
    say("energies subtracted, eV: " + ", ".join(f"{e} {energies[e]:.4f}" for e in config.elements))
    told = lambda slope: "not seen in these data" if np.isnan(slope) else f"{slope:.2f} times what forces ask for"
    say(f"units: changes of energy {told(data.slopes[0])}, virials {told(data.slopes[1])}")
    for two, one in data.repeats:
        say(f"note: {two.place} repeats frame {one.number}; both are in the same set")
    if options.check:
        return 0
    return train(options, config, folder, data, device, say, lines)


def train(options, config, folder, data, device, say, lines):
    import torch

    from .model import Store
    from .nepfile import read_nep, write_nep
    from .report import evaluate, figures, model_card, print_table, table, write_table
    from .training import Labels, Training

    frames, environments, sets, energies = data.frames, data.environments, data.sets, data.energies
    values = config.values["training"]
    shape = config.shape
    store = Store(environments, shape, torch.float32, device)
    labels = Labels(frames, environments, energies, config, torch.float32, device)
    training = Training(shape, store, labels, sets, values, values["seed"])
    checkpoint = folder / "checkpoint.pt"
    if options.resume and not training.load(checkpoint):
        raise InputError(f"{checkpoint}: was written with other data or another configuration, expected the same; "
                         "give those again, or train into a new directory")
    parameters = sum(p.numel() for p in training.model.parameters())
    say(f"{parameters} parameters on {device}" + (f", {torch.get_num_threads()} threads" if device == "cpu" else "")
        + ("" if store.kernel or device != "cpu" else "; no C compiler found, so the pair sums take about ten times as long"))

    folder.mkdir(parents=True, exist_ok=True)
    stop = folder / "STOP"
    stop.unlink(missing_ok=True)
    previous = {}

    def finish(*_):
        stop.touch()

    for number in (signal.SIGINT, signal.SIGTERM):
        previous[number] = signal.signal(number, finish)
    training.run(checkpoint, folder / "learning-curve.csv", say, stop=stop)
    for number, handler in previous.items():
        signal.signal(number, handler)

    restore = training.with_parameters(training.best)
    plain = training.model.plain()
    with torch.no_grad():
        q = [training.model.descriptors(store.batch(sets["train"][at:at + 16]))[0].double()
             for at in range(0, len(sets["train"]), 16)]
    restore()
    q = torch.cat(q).cpu().numpy()
    spread = q.max(0) - q.min(0)
    scaler = 1 / np.where(spread > 0, spread, 1)
    folded = config.values["energy"]["write"] == "folded"
    zero = dict.fromkeys(config.elements, 0.0) if folded else data.reference
    constants = {e: energies[e] - zero[e] for e in config.elements}
    most = tuple(max(e.most[k] for e in environments) for k in (0, 1))
    write_nep(folder / "nep.txt.part", shape, plain, scaler, most, list(constants.values()))
    (folder / "nep.txt.part").replace(folder / "nep.txt")

    file_shape, from_file = read_nep(folder / "nep.txt")
    exact = [environment(f, file_shape, np.float64) for f in frames]
    results = evaluate(from_file, file_shape, exact)
    results = [(e - sum(constants[s] for s in f.symbols), forces, virial)
               for f, (e, forces, virial) in zip(frames, results)]
    # the file against the parameters that were trained, before rounding
    sample = sorted({k for members in sets.values() for k in members[:2]})
    direct = evaluate(plain, shape, [exact[k] for k in sample])
    worst = [max(float(np.abs(np.asarray(d[c]) - np.asarray(results[k][c])).max()) / (len(frames[k]) if c != 1 else 1)
                 for d, k in zip(direct, sample)) for c in range(3)]
    verified = (f"file against the parameters trained, {len(sample)} frames: energy {worst[0]:.1e} eV/atom, forces "
                f"{worst[1]:.1e} eV/Å, virial {worst[2]:.1e} eV/atom")
    say(verified)
    rows = table(frames, exact, results, sets, energies)
    print_table(rows, say)
    write_table(folder / "errors.csv", rows)
    with open(folder / "split.csv", "w") as file:
        file.write("set,file,frame,config_type\n")
        for name, members in sets.items():
            file.writelines(f"{name},{frames[k].path},{frames[k].number},{frames[k].config_type}\n" for k in members)
    files = [p for key in ("frames", "validation", "test") for p in config.paths(key)]
    model_card(folder / "model-card.txt", config, training, zero, sets, rows, files, verified)
    figures(folder, training.rows, frames, exact, results, sets, energies)
    with open(folder / "train.log", "a") as file:
        file.write("\n".join(lines) + "\n")
    say(f"{folder / 'nep.txt'} written")
    return 0


if __name__ == "__main__":
    sys.exit(main())
