"""What the header of a NEP file says."""

from dataclasses import dataclass

import numpy as np


@dataclass
class Shape:
    """Elements, cutoffs per element (radial, angular; Å) and sizes of a model."""

    elements: list
    cutoffs: list
    n_max: tuple
    basis: tuple
    l_max: int
    four_body: bool
    neurons: int

    def pair_cutoffs(self):
        """Radial and angular cutoffs [I, J]: means of those of the two species."""
        table = np.array(self.cutoffs, float)
        return tuple((table[:, None, k] + table[None, :, k]) / 2 for k in (0, 1))

    @property
    def channels(self):
        return self.l_max + int(self.four_body)

    @property
    def descriptors(self):
        return self.n_max[0] + 1 + (self.n_max[1] + 1) * self.channels

    @property
    def harmonics(self):
        return (self.l_max + 1) ** 2 - 1
