#!/usr/bin/env python3
"""Gradient against evolution: one model trained both ways for the same time, on the same frames and loss.

usage: evolution.py CONFIG.toml --epochs N [--batch 4] [--population 50] [--sigma 0.1 0.03] [--set TABLE.KEY=VALUE ...]

Trains by gradient as train_nep does (N epochs), then as long by the separable natural evolution strategy (Schaul,
Glasmachers and Schmidhuber, GECCO 2011), which is what GPUMD's trainer uses (Fan et al., PRB 104, 104309, 2021):
population of 50, its learning rate of sigma, once for each initial --sigma (in units of the size of the parameters
of a kind). Both start from the same parameters; the evaluation of energies, forces and virials is the same code.
Prints Markdown: root mean square errors on the test frames as time goes on.
"""
import argparse
import math
import sys
import time
from pathlib import Path

import numpy as np
import torch

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from train_nep.config import load_config
from train_nep.dataset import load_dataset
from train_nep.model import Store
from train_nep.training import Labels, Training, errors, loss, summary


class Evolution:
    """Means and widths of all parameters, moved by the ranks of a population; the batch is the same for all of it."""

    def __init__(self, training, population, sigma, batch, seed):
        self.training, self.population, self.batch = training, population, batch
        self.parameters = list(training.model.parameters())
        self.mean = [p.detach().clone() for p in self.parameters]
        self.sigma = [torch.full_like(p, sigma * float(p.detach().square().mean().sqrt() or 1)) for p in self.mean]
        count = sum(p.numel() for p in self.mean)
        self.rate = (3 + math.log(count)) / (5 * math.sqrt(count)) / 2
        rank = np.maximum(0, math.log(population / 2 + 1) - np.log(np.arange(1, population + 1)))
        self.utility = rank / rank.sum() - 1 / population
        self.random = torch.Generator().manual_seed(seed)
        self.draw = np.random.default_rng(seed)

    def put(self, values):
        for p, v in zip(self.parameters, values):
            p.copy_(v)

    @torch.no_grad()
    def generation(self):
        t = self.training
        members = self.draw.choice(t.sets["train"], min(self.batch, len(t.sets["train"])), replace=False)
        batch = t.store.batch(members)
        noise = [torch.randn(self.population, *m.shape, generator=self.random) for m in self.mean]
        values = []
        for k in range(self.population):
            self.put([m + s * n[k] for m, s, n in zip(self.mean, self.sigma, noise)])
            values.append(float(loss(t.model, batch, t.labels, t.options)))
        utility = torch.zeros(self.population)
        utility[np.argsort(values)] = torch.from_numpy(self.utility).float()
        for m, s, n in zip(self.mean, self.sigma, noise):
            m += s * torch.tensordot(utility, n, 1)
            s *= torch.exp(self.rate * torch.tensordot(utility, n * n - 1, 1))


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("config")
    parser.add_argument("--epochs", type=int, required=True)
    parser.add_argument("--batch", type=int, default=4)
    parser.add_argument("--population", type=int, default=50)
    parser.add_argument("--sigma", type=float, nargs="+", default=[0.1, 0.03])
    parser.add_argument("--set", action="append", default=[], dest="settings")
    arguments = parser.parse_args()
    config = load_config(arguments.config, [*arguments.settings, f"training.epochs={arguments.epochs}"])
    options = config.values["training"]
    torch.set_num_threads(options["threads"])
    data = load_dataset(config)
    frames, sets = data.frames, data.sets
    store = Store(data.environments, config.shape, torch.float32, "cpu")
    labels = Labels(frames, data.environments, data.energies, config, torch.float32, "cpu")
    tests = [k for k in sets["test"] if not frames[k].config_type.startswith(("rattle", "molecule"))]
    sizes = labels.sizes[tests].double().numpy()
    print("| | seconds | evaluations of an atom | energy, meV/atom | forces, meV/Å | virial, meV/atom |")
    print("|---|---|---|---|---|---|")

    def row(name, training, seconds, atoms):
        energy, force, virial = summary(errors(training.model, store, labels, tests), sizes, np.full(len(tests), True))
        print(f"| {name} | {seconds:.0f} | {atoms:.1e} | {1e3 * energy:.2f} | {1e3 * force:.0f} | {1e3 * virial:.1f} |", flush=True)

    training = Training(config.shape, store, labels, sets, options, options["seed"])
    row("start", training, 0, 0)
    atoms, spent = int(labels.sizes[sets["train"]].sum()), 0.0
    for epoch in range(arguments.epochs):
        begin = time.process_time()
        training.run_epoch()
        spent += time.process_time() - begin
        if (epoch + 1) % max(1, arguments.epochs // 4) == 0:
            restore = training.with_parameters(training.average)
            row("gradient", training, spent, atoms * (epoch + 1))
            restore()

    for sigma in arguments.sigma:
        training = Training(config.shape, store, labels, sets, options, options["seed"])
        evolution = Evolution(training, arguments.population, sigma, arguments.batch, options["seed"])
        used, shown, generations = 0.0, 1, 0
        while used < spent:
            begin = time.process_time()
            evolution.generation()
            used += time.process_time() - begin
            generations += 1
            if used >= shown * spent / 4:
                shown += 1
                with torch.no_grad():
                    evolution.put(evolution.mean)
                row(f"evolution, sigma {sigma}, {generations} generations", training, used,
                    generations * arguments.population * arguments.batch * atoms / len(sets["train"]))


if __name__ == "__main__":
    main()
