"""The configuration of a training: TOML, every key with its default, checked in one place."""

import difflib
import tomllib
from pathlib import Path

from .frames import SYMBOLS, InputError
from .shape import Shape

# Tables and keys; None: no default. Energies eV, lengths Å.
DEFAULTS = {
    "data": {
        "frames": None,                 # file or list of files, relative to the configuration
        "validation": [],               # files used whole for validation; else a fraction of each config type
        "test": [],
        "validation_fraction": 0.1,
        "test_fraction": 0.1,
    },
    "model": {
        "elements": None,               # their order is that of the file
        "cutoff": [6.0, 4.2],           # radial, angular; or a table per element: {C = [6, 4.2], ...}
        "n_max": [6, 6],
        "basis_size": [8, 8],
        "l_max": 4,
        "four_body": True,              # the 222 channel
        "neurons": 30,
    },
    "energy": {
        "reference": "fit",             # fit, isolated (frames of one atom), or a table {C = -150.1, ...} in eV
        "write": "relative",            # relative: the file gives energies less the reference; folded: total ones
        "window": 1.0,                  # largest distance from the reference's median, eV/atom
    },
    "weights": {},                      # config type = number, or {energy = 1, forces = 1, virial = 1}
    "training": {
        "seed": 1,
        "epochs": 2000,
        "batch_size": 8,                # frames
        "energy_tolerance": 0.003,      # eV/atom: residuals count in these units
        "force_tolerance": 0.06,        # eV/Å
        "virial_tolerance": 0.012,      # eV/atom
        "huber": 5.0,                   # residuals beyond so many tolerances count linearly; 0: never
        "learning_rate": 3e-3,
        "final_rate": 0.01,             # of learning_rate, at the end of the cosine
        "warmup_epochs": 3,
        "beta": 0.98,                   # decay of the optimiser's averages
        "weight_decay": 0.04,           # of coefficients and input weights: each step shrinks them by learning_rate times it
        "average_decay": 0.999,         # moving average of the parameters, which is what is validated and written
        "validate_every": 10,           # epochs
        "patience": 1000,               # epochs without improvement in validation; then the training stops
        "whitening_floor": 0.05,        # how far weak radial functions are amplified at the start; 0: fully
        "output_scale": 0.05,           # size of the energies of the untrained network, eV
        "checkpoint_seconds": 60.0,
        "threads": 2,
        "device": "auto",               # cpu, cuda, or auto: cuda where there is one
    },
}
KINDS = ("energy", "forces", "virial")


class Config:
    """Checked values; `values` is the whole configuration with every default filled in."""

    def __init__(self, values, folder, source):
        self.values, self.folder, self.source = values, Path(folder), source
        model = values["model"]
        self.elements = model["elements"]
        cutoff = model["cutoff"]
        cutoffs = [tuple(cutoff[e] if isinstance(cutoff, dict) else cutoff) for e in self.elements]
        self.shape = Shape(list(self.elements), cutoffs, tuple(model["n_max"]), tuple(model["basis_size"]),
                           model["l_max"], model["four_body"], model["neurons"])

    def weights_of(self, config_type):
        """Weights of energy, forces and virial for a config type."""
        weights = self.values["weights"]
        given = weights.get(config_type, weights.get("default", 1.0))
        return tuple(given.get(kind, 1.0) for kind in KINDS) if isinstance(given, dict) else (given,) * 3

    def virial_needed(self, config_type):
        return self.weights_of(config_type)[2] > 0

    def paths(self, key):
        given = self.values["data"][key]
        return [self.folder / p for p in ([given] if isinstance(given, str) else given)]


def _refuse(source, key, found, expected, remedy="correct it"):
    raise InputError(f"{source}: {key}: found {found!r}, expected {expected}; {remedy}")


def _is(value, kind):
    return isinstance(value, kind) and not isinstance(value, bool)


def load_config(path, settings=()):
    """The configuration of a TOML file with `table.key=value` settings put over it."""
    path = Path(path)
    try:
        given = tomllib.loads(path.read_text())
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"{path}: cannot be read ({error}); give a TOML configuration") from None
    except tomllib.TOMLDecodeError as error:
        raise InputError(f"{path}: {error}; expected TOML") from None
    for setting in settings:
        key, equals, text = setting.partition("=")
        table, dot, name = key.partition(".")
        if not (equals and dot):
            raise InputError(f"--set {setting}: expected table.key=value, as training.epochs=500")
        try:
            value = tomllib.loads(f"x = {text}")["x"]
        except tomllib.TOMLDecodeError:
            value = text
        given.setdefault(table, {})[name] = value

    source = str(path)
    values = {}
    for table, content in given.items():
        if table not in DEFAULTS or not isinstance(content, dict):
            _refuse(source, table, content if table in DEFAULTS else table, "a table of " + ", ".join(DEFAULTS),
                    _nearest(table, DEFAULTS))
        for key in content:
            if table != "weights" and key not in DEFAULTS[table]:
                _refuse(source, f"{table}.{key}", key, "a key of [" + table + "]", _nearest(key, DEFAULTS[table]))
    for table, defaults in DEFAULTS.items():
        values[table] = {**defaults, **given.get(table, {})}
    _check(values, source)
    return Config(values, path.parent, source)


def _nearest(name, known):
    close = difflib.get_close_matches(name, known, 1, 0)
    return f"did you mean '{close[0]}'?" if close else "remove it"


def _check(values, source):
    data, model, energy, training = (values[k] for k in ("data", "model", "energy", "training"))
    for key in ("frames", "validation", "test"):
        files = data[key]
        if not isinstance(files, str) and not (isinstance(files, list) and all(isinstance(f, str) for f in files)):
            _refuse(source, f"data.{key}", files, "a file or a list of files")
    if not data["frames"]:
        _refuse(source, "data.frames", data["frames"], "at least one file")
    for key in ("validation_fraction", "test_fraction"):
        if not (_is(data[key], (int, float)) and 0 <= data[key] < 0.5):
            _refuse(source, f"data.{key}", data[key], "a number from 0 to below 0.5")

    elements = model["elements"]
    if not (isinstance(elements, list) and elements and all(e in SYMBOLS for e in elements)
            and len(set(elements)) == len(elements)):
        _refuse(source, "model.elements", elements, "a list of different chemical symbols, [\"C\", \"H\"]")
    cutoff = model["cutoff"]
    pairs = [(f"model.cutoff.{e}", cutoff.get(e)) for e in elements] if isinstance(cutoff, dict) else [
        ("model.cutoff", cutoff)]
    for key, pair in pairs:
        if not (isinstance(pair, (list, tuple)) and len(pair) == 2 and all(_is(v, (int, float)) for v in pair)
                and 2 <= pair[1] <= pair[0] <= 12):
            _refuse(source, key, pair, "[radial, angular] with 2 Å ≤ angular ≤ radial ≤ 12 Å")
    for key, most in (("n_max", 19), ("basis_size", 19)):
        if not (isinstance(model[key], list) and len(model[key]) == 2
                and all(_is(v, int) and 0 <= v <= most for v in model[key])):
            _refuse(source, f"model.{key}", model[key], f"two whole numbers from 0 to {most}")
    if not (_is(model["l_max"], int) and 1 <= model["l_max"] <= 8):
        _refuse(source, "model.l_max", model["l_max"], "a whole number from 1 to 8")
    if not isinstance(model["four_body"], bool) or (model["four_body"] and model["l_max"] < 2):
        _refuse(source, "model.four_body", model["four_body"], "true (with l_max of at least 2) or false")
    if not (_is(model["neurons"], int) and 1 <= model["neurons"] <= 200):
        _refuse(source, "model.neurons", model["neurons"], "a whole number from 1 to 200")

    reference = energy["reference"]
    if isinstance(reference, dict):
        for element in elements:
            if not _is(reference.get(element), (int, float)):
                _refuse(source, f"energy.reference.{element}", reference.get(element), "a number (eV)")
    elif reference not in ("fit", "isolated"):
        _refuse(source, "energy.reference", reference, "fit, isolated, or a table of numbers (eV) per element")
    if energy["write"] not in ("relative", "folded"):
        _refuse(source, "energy.write", energy["write"], "relative or folded")
    if not (_is(energy["window"], (int, float)) and energy["window"] > 0):
        _refuse(source, "energy.window", energy["window"], "a positive number (eV/atom)")

    for name, given in values["weights"].items():
        numbers = given.items() if isinstance(given, dict) else [("", given)]
        for kind, value in numbers:
            if (kind and kind not in KINDS) or not _is(value, (int, float)) or value < 0:
                _refuse(source, f"weights.{name}", given,
                        "a number of at least 0, or {energy = 1, forces = 1, virial = 1}")

    least = {"seed": 0, "epochs": 1, "batch_size": 1, "validate_every": 1, "patience": 1, "threads": 1,
             "warmup_epochs": 0, "huber": 0, "final_rate": 0, "average_decay": 0, "beta": 0, "weight_decay": 0,
             "whitening_floor": 0}
    for key, default in DEFAULTS["training"].items():
        value = training[key]
        if key == "device":
            if value not in ("auto", "cpu", "cuda"):
                _refuse(source, "training.device", value, "auto, cpu or cuda")
            continue
        kind = int if isinstance(default, int) else (int, float)
        if not _is(value, kind) or (value < least[key] if key in least else value <= 0):
            _refuse(source, f"training.{key}", value, ("a whole number" if kind is int else "a number")
                    + (f" of at least {least[key]}" if key in least else " above 0"))
        if key == "beta" and value >= 1:
            _refuse(source, "training.beta", value, "a number below 1")
        if key in ("average_decay", "final_rate", "whitening_floor") and value > 1:
            _refuse(source, f"training.{key}", value, "a number of at most 1")
