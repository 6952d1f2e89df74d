"""The frames of a configuration: read, checked together, split, and with the environments of their atoms."""

from dataclasses import dataclass

import numpy as np

from .checks import baseline, check_reference, check_split, check_units, split
from .environment import environment
from .frames import InputError, read_frames


@dataclass
class Dataset:
    """Frames with their environments, sets as lists of their numbers, and energies per element (eV)."""

    frames: list
    environments: list
    sets: dict
    energies: dict          # subtracted for training
    reference: dict         # what the file's energies are relative to
    repeats: list           # pairs of frames that are the same
    slopes: tuple           # of energies and virials against what forces ask for


def load_dataset(config):
    """Raises InputError for whatever the labels or the split get wrong."""
    read = lambda key: [f for p in config.paths(key) for f in read_frames(p, config.elements, config.virial_needed)]
    extra = {key: read(key) for key in ("validation", "test")}
    own = read("frames")
    energies, reference, own = baseline(own, config)
    sets, repeats = split(own, config, extra)
    frames = own + extra["validation"] + extra["test"]
    check_reference(frames, energies, config)
    check_split(frames, sets)
    environments = []
    for frame in frames:
        try:
            environments.append(environment(frame, config.shape, np.float32))
        except ValueError as error:
            raise InputError(f"{frame.place}: {error}, expected distinct positions; correct or remove the frame") from None
    slopes = check_units(frames, environments, config)
    return Dataset(frames, environments, sets, energies, reference, repeats, slopes)
