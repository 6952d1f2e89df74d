"""The NEP file (nep4): written with the 9 significant digits that hold a float32, and read back."""

import numpy as np

from .shape import Shape


def write_nep(path, shape, parameters, scaler, most, element_energies=None):
    """Writes parameters (`NEP.plain`) so that inputs are q·scaler.

    element_energies: constants per element to be held by the file. One common value goes into the output
    bias; different ones into an extra neuron whose weights are 0 and whose bias is -20, so that it is 1."""
    c_radial, c_angular, W0, b0, w1, b1 = parameters
    W0 = W0 / scaler
    neurons = shape.neurons
    if element_energies is not None:
        common = float(np.mean(element_energies))
        b1 = b1 - common
        rest = np.asarray(element_energies) - common
        if np.abs(rest).max() > 1e-9 * max(1, abs(common)):
            kinds = len(shape.elements)
            W0 = np.concatenate([W0, np.zeros((kinds, 1, W0.shape[2]))], 1)
            b0 = np.concatenate([b0, np.full((kinds, 1), -20.0)], 1)
            w1 = np.concatenate([w1, rest[:, None]], 1)
            neurons += 1
    same = all(c == shape.cutoffs[0] for c in shape.cutoffs)
    cutoffs = [f"{v:g}" for pair in (shape.cutoffs[:1] if same else shape.cutoffs) for v in pair]
    lines = [
        f"nep4 {len(shape.elements)} {' '.join(shape.elements)}",
        f"cutoff {' '.join(cutoffs)} {most[0]} {most[1]}",
        f"n_max {shape.n_max[0]} {shape.n_max[1]}",
        f"basis_size {shape.basis[0]} {shape.basis[1]}",
        f"l_max {shape.l_max} {2 if shape.four_body else 0} 0",
        f"ANN {neurons} 0",
    ]
    numbers = []
    for t in range(len(shape.elements)):
        numbers += [W0[t].ravel(), b0[t], w1[t]]
    numbers += [[b1], c_radial.transpose(1, 3, 0, 2).ravel(), c_angular.transpose(1, 3, 0, 2).ravel(), scaler]
    with open(path, "w") as file:
        file.write("\n".join(lines) + "\n")
        file.writelines(f"{value:16.8e}\n" for value in np.concatenate(numbers))


def read_nep(path):
    """Shape and parameters (as `NEP.plain`, scaler folded in) of a nep4 file of the kind written here."""
    with open(path) as file:
        lines = file.read().splitlines()
    rows = [line.split() for line in lines[:6]]
    elements = rows[0][2:]
    kinds = len(elements)
    cutoffs = [float(v) for v in rows[1][1:-2]]
    cutoffs = [tuple(cutoffs)] * kinds if len(cutoffs) == 2 else list(zip(cutoffs[::2], cutoffs[1::2]))
    pair = lambda k: (int(rows[k][1]), int(rows[k][2]))
    shape = Shape(elements, cutoffs, pair(2), pair(3), int(rows[4][1]), int(rows[4][2]) != 0, int(rows[5][1]))
    values, at = np.array([float(v) for v in lines[6:] if v.strip()]), 0

    def take(*size):
        nonlocal at
        part = values[at:at + int(np.prod(size))].reshape(size)
        at += part.size
        return part

    H, D = shape.neurons, shape.descriptors
    W0, b0, w1 = np.empty((kinds, H, D)), np.empty((kinds, H)), np.empty((kinds, H))
    for t in range(kinds):
        W0[t], b0[t], w1[t] = take(H, D), take(H), take(H)
    b1 = float(take(1)[0])
    c = [take(shape.n_max[k] + 1, shape.basis[k] + 1, kinds, kinds).transpose(2, 0, 3, 1) for k in (0, 1)]
    W0 = W0 * take(D)
    if at != len(values):
        raise ValueError(f"{path}: {len(values)} numbers, expected {at}")
    return shape, (c[0], c[1], W0, b0, w1, b1)
