"""The optimisation: initial values, loss, schedule, moving average, early stop, checkpoint."""

import csv
import json
import math
import os
import time

import numpy as np
import torch

from .model import NEP, Store
from .soap import SOAP


class Labels:
    """Labels of frames in the order of their environments, relative to the baseline."""

    def __init__(self, frames, environments, baseline, config, dtype, device):
        put = lambda x: torch.as_tensor(np.asarray(x), dtype=dtype, device=device)
        self.energy = put([f.energy - sum(baseline[s] for s in f.symbols) for f in frames])
        self.forces = [put(f.forces[e.order]) for f, e in zip(frames, environments)]
        self.virial = put([np.zeros((3, 3)) if f.virial is None else f.virial for f in frames])
        weights = np.array([config.weights_of(f.config_type) for f in frames], float).reshape(-1, 3)
        weights[[f.virial is None for f in frames], 2] = 0
        self.weights = put(weights)
        self.sizes = put([len(f) for f in frames])

    def batch(self, members):
        return (self.energy[members], torch.cat([self.forces[m] for m in members]), self.virial[members],
                self.weights[members], self.sizes[members])


def residual_loss(x, huber):
    """x²/2, going on linearly beyond `huber` (none if 0)."""
    if not huber:
        return x * x / 2
    size = x.abs()
    return torch.where(size < huber, x * x / 2, huber * (size - huber / 2))


def loss(model, batch, labels, options):
    """Mean over frames of squared residuals in units of the tolerances, weighted by config type."""
    energy, forces, virial = model(batch)
    true_energy, true_forces, true_virial, weights, sizes = labels.batch(batch.members)
    de = (energy - true_energy) / sizes / options["energy_tolerance"]
    df = (forces - true_forces) / options["force_tolerance"]
    dv = (virial - true_virial) / sizes[:, None, None] / options["virial_tolerance"]
    huber = options["huber"]
    atoms = sizes.sum()
    return ((weights[:, 0] * residual_loss(de, huber)).mean()
            + (weights[batch.atom_frame, 1][:, None] * residual_loss(df, huber)).sum() / (3 * atoms)
            + (weights[:, 2][:, None, None] * residual_loss(dv, huber)).mean())


def errors(model, store, labels, members, size=16):
    """Per frame: energy error per atom, sum of squared force errors, virial errors per atom (3x3)."""
    result = []
    with torch.no_grad():
        for at in range(0, len(members), size):
            part = list(members[at:at + size])
            batch = store.batch(part)
            energy, forces, virial = model(batch)
            e, f, v, _, sizes = labels.batch(part)
            squares = torch.zeros_like(energy).index_add(0, batch.atom_frame, ((forces - f) ** 2).sum(1))
            result.append(torch.cat([((energy - e) / sizes)[:, None], squares[:, None],
                                     ((virial - v) / sizes[:, None, None]).reshape(-1, 9)], 1))
    return torch.cat(result).double().cpu().numpy() if result else np.empty((0, 11))


def summary(rows, sizes, has_virial):
    """RMSE of energy, force component and virial from rows of `errors`."""
    if not len(rows):
        return (math.nan,) * 3
    virial = rows[has_virial, 2:]
    return (math.sqrt((rows[:, 0] ** 2).mean()), math.sqrt(rows[:, 1].sum() / (3 * sizes.sum())),
            math.sqrt((virial**2).mean()) if len(virial) else math.nan)


def _whitening(moments, floor):
    """Matrix that turns functions into combinations of unit second moment; small directions are held back."""
    second = moments.T @ moments / max(1, len(moments))
    values, vectors = np.linalg.eigh(second)
    values = np.maximum(values, 0)
    return (vectors / np.sqrt(values + floor * values.max() + 1e-30)).T


def initialise(model, store, members, options, seed):
    """Random parameters of a size that suits the data: c of unit variance on whitened sums, inputs of the
    network standardised per species, small output weights."""
    random = torch.Generator().manual_seed(seed)
    normal = lambda *size: torch.randn(*size, generator=random)
    shape = model.shape
    kinds = len(shape.elements)
    with torch.no_grad():
        for I in range(kinds):
            radial = torch.cat([store.radial[m][I] for m in members]).double().cpu().numpy()
            angular = torch.cat([store.angular[m][I] for m in members], 1)
            angular = angular.permute(1, 2, 0).reshape(-1, angular.shape[0]).double().cpu().numpy()
            if len(radial) == 0:
                continue
            for buffer, moments in ((model.radial_basis, radial - radial.mean(0)), (model.angular_basis, angular)):
                buffer[I] = torch.from_numpy(_whitening(moments, options["whitening_floor"]))
        for parameter in (model.radial, model.angular):
            parameter.copy_(normal(*parameter.shape) / math.sqrt(parameter.shape[2]))
        first = list(members)
        total, at = [[] for _ in range(kinds)], 0
        for at in range(0, len(first), 16):
            batch = store.batch(first[at:at + 16])
            q = model.descriptors(batch)[0]
            for I, part in enumerate(q.split(batch.species_atoms)):
                total[I].append(part.double())
        for I in range(kinds):
            q = torch.cat(total[I])
            if len(q) > 1:
                model.mean[I] = q.mean(0)
                spread = q.std(0)
                model.width[I] = torch.clamp(spread, min=1e-6 * float(spread.max()) + 1e-12)
        model.W0.copy_(normal(*model.W0.shape) / math.sqrt(shape.descriptors))
        model.b0.copy_(normal(*model.b0.shape) * 0.5)
        model.w1.copy_(normal(*model.w1.shape) * options["output_scale"] / math.sqrt(shape.neurons))


class Training:
    """State of an optimisation that can be stopped, saved and taken up again with the same numbers."""

    def __init__(self, shape, store, labels, sets, options, seed):
        self.store, self.labels, self.sets, self.options, self.seed = store, labels, sets, options, seed
        torch.manual_seed(seed)
        self.model = NEP(shape, store.dtype)
        self.model.to(store.device)
        initialise(self.model, store, sets["train"], options, seed)
        self.optimizer = SOAP(self.model.parameters(), options["learning_rate"], options["beta"], options["weight_decay"])
        self.average = [p.detach().clone() for p in self.model.parameters()]
        self.best = [p.clone() for p in self.average]
        self.best_loss, self.best_epoch, self.epoch, self.step, self.seconds = math.inf, 0, 0, 0, 0.0
        self.rows = []
        self.stopped = ""
        size = options["batch_size"]
        self.steps_per_epoch = math.ceil(len(sets["train"]) / size)

    def rate(self):
        options = self.options
        total = options["epochs"] * self.steps_per_epoch
        warm = max(1, min(options["warmup_epochs"] * self.steps_per_epoch, total // 10))
        if self.step < warm:
            return options["learning_rate"] * (self.step + 1) / warm
        done = (self.step - warm) / max(1, total - warm)
        low = options["final_rate"]
        return options["learning_rate"] * (low + (1 - low) * 0.5 * (1 + math.cos(math.pi * min(1, done))))

    def run_epoch(self):
        """One pass over the training set in an order given by seed and epoch."""
        options, parameters = self.options, list(self.model.parameters())
        order = np.random.default_rng([self.seed, self.epoch]).permutation(self.sets["train"])
        total = 0.0
        for members in np.array_split(order, self.steps_per_epoch):
            for group in self.optimizer.param_groups:
                group["lr"] = self.rate()
            value = loss(self.model, self.store.batch(members), self.labels, options)
            self.optimizer.zero_grad(set_to_none=True)
            value.backward()
            self.optimizer.step()
            self.step += 1
            decay = min(options["average_decay"], (1 + self.step) / (10 + self.step))
            with torch.no_grad():
                torch._foreach_lerp_(self.average, parameters, 1 - decay)
            total += float(value.detach())
        self.epoch += 1
        return total / self.steps_per_epoch

    def with_parameters(self, values):
        """The model with other parameter values, and a function that puts back the present ones."""
        kept = [p.detach().clone() for p in self.model.parameters()]

        def put(source):
            with torch.no_grad():
                for p, v in zip(self.model.parameters(), source):
                    p.copy_(v)

        put(values)
        return lambda: put(kept)

    def validate(self):
        """Score and RMSE of the averaged model on the validation set. The score is the geometric mean of the losses
        of the frames, so that a few odd frames do not choose the model for all."""
        members = self.sets["validation"]
        restore = self.with_parameters(self.average)
        with torch.no_grad():
            losses = [float(loss(self.model, self.store.batch([m]), self.labels, self.options)) for m in members]
        rows = errors(self.model, self.store, self.labels, members)
        restore()
        losses = [value for value in losses if value > 0]     # frames of weight 0 have no say
        score = math.exp(sum(map(math.log, losses)) / len(losses)) if losses else math.nan
        sizes = self.labels.sizes[members].double().cpu().numpy()
        has_virial = self.labels.weights[members, 2].cpu().numpy() > 0
        return score, summary(rows, sizes, has_virial)

    def run(self, checkpoint, log, say=print, stop=None):
        """Trains until the epochs are done, validation has not improved for `patience`, or the file `stop` exists."""
        options = self.options
        last_saved = time.time()
        while self.epoch < options["epochs"] and not self.stopped:
            begin = time.time()
            train_loss = self.run_epoch()
            if not math.isfinite(train_loss):
                raise FloatingPointError(f"the loss is {train_loss} in epoch {self.epoch}; lower training.learning_rate")
            validated = self.epoch % options["validate_every"] == 0 or self.epoch == options["epochs"]
            if validated:
                value, rmse = self.validate() if self.sets["validation"] else (train_loss, (math.nan,) * 3)
                if value < self.best_loss:
                    self.best_loss, self.best_epoch = value, self.epoch
                    self.best = [p.clone() for p in self.average]
                elif self.epoch - self.best_epoch >= options["patience"]:
                    self.stopped = f"no improvement in validation for {options['patience']} epochs"
            self.seconds += time.time() - begin
            if validated:
                self.rows.append([self.epoch, self.step, self.rate(), train_loss, value, *rmse, self.seconds])
                say(f"epoch {self.epoch:6d}  loss {train_loss:10.4g}  validation {value:10.4g}: "
                    f"{rmse[0] * 1e3:8.2f} meV/atom {rmse[1] * 1e3:8.1f} meV/Å {rmse[2] * 1e3:8.2f} meV/atom"
                    f"  {self.seconds:8.0f} s")
            if stop is not None and stop.exists():
                stop.unlink()
                break
            if time.time() - last_saved > options["checkpoint_seconds"]:
                self.save(checkpoint, log)
                last_saved = time.time()
        self.save(checkpoint, log)

    COLUMNS = ["epoch", "step", "learning_rate", "train_loss", "validation_loss", "energy_rmse_eV_per_atom",
               "force_rmse_eV_per_A", "virial_rmse_eV_per_atom", "seconds"]

    def save(self, checkpoint, log):
        state = {"model": self.model.state_dict(), "optimizer": self.optimizer.state_dict(), "average": self.average,
                 "best": self.best, "fingerprint": self.fingerprint(),
                 "numbers": [self.best_loss, self.best_epoch, self.epoch, self.step, self.seconds],
                 "rows": self.rows, "stopped": self.stopped}
        torch.save(state, str(checkpoint) + ".part")
        os.replace(str(checkpoint) + ".part", checkpoint)
        with open(str(log) + ".part", "w", newline="") as file:
            writer = csv.writer(file)
            writer.writerow(self.COLUMNS)
            writer.writerows([[f"{v:.8g}" if isinstance(v, float) else v for v in row] for row in self.rows])
        os.replace(str(log) + ".part", log)

    def fingerprint(self):
        """What may not change between a run and its continuation."""
        kept = {k: v for k, v in self.options.items() if k not in ("patience", "checkpoint_seconds")}
        return json.dumps([self.seed, kept, {k: [int(m) for m in v] for k, v in self.sets.items()},
                           [float(self.labels.energy.double().sum()), int(self.store.counts.sum())]], sort_keys=True)

    def load(self, checkpoint):
        state = torch.load(checkpoint, weights_only=True, map_location=self.store.device)
        if state["fingerprint"] != self.fingerprint():
            return False
        self.model.load_state_dict(state["model"])
        self.optimizer.load_state_dict(state["optimizer"])
        self.average, self.best = state["average"], state["best"]
        self.best_loss, self.best_epoch, self.epoch, self.step, self.seconds = state["numbers"]
        self.rows, self.stopped = state["rows"], state["stopped"]
        return True
