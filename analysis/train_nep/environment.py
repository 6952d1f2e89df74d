"""Neighbours and the parts of the descriptors that no parameter enters.

Descriptors are linear in their coefficients c over fixed sums,
    q_n = sum_Jk c[I,J,n,k] M[J,k],           M[J,k]    = sum_j f_k(r_ij)
    s_n,lm = sum_Jk c[I,J,n,k] B[J,k,lm],     B[J,k,lm] = sum_j f_k(r_ij) b_lm(u_ij)
(j over neighbours of species J), so M and B are made once per atom. What forces need is kept per pair:
f_k, f'_k, b_lm and the gradient of b_lm.
"""

from dataclasses import dataclass
from fractions import Fraction
from math import factorial, pi

import numpy as np


def pairs(cell, periodic, positions, cutoff):
    """i, j and r_j - r_i of all pairs nearer than cutoff, all images, sorted by i."""
    inverse = np.linalg.inv(cell)
    fractional = positions @ inverse
    wrapped = np.where(periodic, fractional - np.floor(fractional), fractional) @ cell
    heights = 1 / np.linalg.norm(inverse, axis=0)
    reach = np.where(periodic, np.ceil(cutoff / heights), 0).astype(int)
    difference = wrapped[None] - wrapped[:, None]
    found = []
    for shift in np.ndindex(*(2 * reach + 1)):
        translation = (np.array(shift) - reach) @ cell
        vectors = difference + translation
        near = (vectors**2).sum(-1) < cutoff**2
        if tuple(shift) == tuple(reach):
            np.fill_diagonal(near, False)
        i, j = near.nonzero()
        if len(i):
            found.append((i, j, vectors[i, j]))
    if not found:
        return np.empty(0, int), np.empty(0, int), np.empty((0, 3))
    i, j, r = (np.concatenate(part) for part in zip(*found))
    order = np.argsort(i, kind="stable")
    return i[order], j[order], r[order]


def radial_functions(r, cutoff, count):
    """f_k(r) and f'_k(r), k < count; cutoff may differ from pair to pair."""
    x = r / cutoff
    smooth, slope = 0.5 * (1 + np.cos(pi * x)), -0.5 * pi / cutoff * np.sin(pi * x)
    xi, dxi = 2 * (x - 1) ** 2 - 1, 4 * (x - 1) / cutoff
    T, U = [np.ones_like(r), xi], [np.ones_like(r), 2 * xi]
    while len(T) < count:
        T.append(2 * xi * T[-1] - T[-2])
        U.append(2 * xi * U[-1] - U[-2])
    f = np.stack([(T[k] + 1) * smooth / 2 for k in range(count)], -1)
    d = np.stack([(T[k] + 1) * slope / 2 + (k * U[k - 1] * dxi * smooth / 2 if k else 0) for k in range(count)], -1)
    return f, d


def _legendre_parts(degree):
    """For each (l, m): integer polynomial Z_lm (ascending powers of z) and C_lm."""
    result = []
    for l in range(1, degree + 1):
        legendre = [Fraction(0)] * (l + 1)
        for k in range(l // 2 + 1):
            legendre[l - 2 * k] = Fraction((-1) ** k * factorial(2 * l - 2 * k),
                                           2**l * factorial(k) * factorial(l - k) * factorial(l - 2 * k))
        polynomial = legendre
        for m in range(l + 1):
            denominator = int(np.lcm.reduce([c.denominator for c in polynomial]))
            whole = [int(c * denominator) for c in polynomial]
            divisor = int(np.gcd.reduce(whole))
            kappa = Fraction(divisor, denominator)
            weight = (2 * l + 1) / (4 * pi) * factorial(l - m) / factorial(l + m) * float(kappa) ** 2
            result.append((l, m, np.array([w // divisor for w in whole], float), weight))
            polynomial = [k * c for k, c in enumerate(polynomial)][1:]
    return result


def harmonic_weights(degree):
    """The matrix [lm, l] that turns squares of s_lm into q_l."""
    columns = []
    for l, m, _, weight in _legendre_parts(degree):
        columns += [(l, weight)] if m == 0 else [(l, 2 * weight)] * 2
    matrix = np.zeros((len(columns), degree))
    for k, (l, weight) in enumerate(columns):
        matrix[k, l - 1] = weight
    return matrix


def harmonics(unit, degree):
    """b_lm(u) and its gradient in free x, y, z: [pair, lm], [pair, 3, lm]."""
    x, y, z = unit.T
    power = [np.ones(len(unit), complex)]
    for _ in range(degree):
        power.append(power[-1] * (x + 1j * y))
    values, gradients = [], []
    for l, m, coefficients, _ in _legendre_parts(degree):
        Z = np.polynomial.polynomial.polyval(z, coefficients)
        dZ = np.polynomial.polynomial.polyval(z, np.polynomial.polynomial.polyder(coefficients))
        w, dw = power[m], (m * power[m - 1] if m else np.zeros(len(unit), complex))
        for part in ((np.real,) if m == 0 else (np.real, np.imag)):
            values.append(Z * part(w))
            gradients.append(np.stack([Z * part(dw), Z * part(1j * dw), dZ * part(w)], -1))
    return np.stack(values, -1), np.stack(gradients, -1)


@dataclass
class Environment:
    """What is kept of a frame: atoms ordered by species, pairs ordered by their first atom."""

    order: np.ndarray
    counts: np.ndarray
    radial_moments: list
    angular_moments: list
    ang_r: np.ndarray
    ang_f: np.ndarray
    ang_b: np.ndarray
    ang_start: np.ndarray
    ang_j: np.ndarray
    ang_J: np.ndarray
    rad_r: np.ndarray
    rad_f: np.ndarray
    rad_start: np.ndarray
    rad_j: np.ndarray
    rad_J: np.ndarray
    most: tuple


def _sums(values, i, J, atoms, species):
    """Sum of values over the pairs of every (i, J)."""
    row = i * species + J
    order = np.argsort(row, kind="stable")
    row, result = row[order], np.zeros((atoms * species, values.shape[1]))
    if len(row):
        first = np.flatnonzero(np.diff(row, prepend=-1))
        result[row[first]] = np.add.reduceat(values[order], first, axis=0)
    return result.reshape(atoms, species, -1)


def environment(frame, shape, real):
    """The Environment of a frame for a model shape, stored as numpy type `real`."""
    species = np.array([shape.elements.index(s) for s in frame.symbols])
    order = np.argsort(species, kind="stable")
    species = species[order]
    atoms, kinds = len(order), len(shape.elements)
    counts = np.bincount(species, minlength=kinds)
    radial, angular = shape.pair_cutoffs()
    i, j, r = pairs(frame.cell, frame.periodic, frame.positions[order], max(radial.max(), angular.max()))
    length = np.linalg.norm(r, axis=1)
    if len(length) and length.min() < 1e-3:
        raise ValueError(f"atoms {order[i[length.argmin()]] + 1} and {order[j[length.argmin()]] + 1} are at the same place")
    I, J = species[i], species[j]

    inside = length < radial[I, J]
    ri, rj, rr, rJ = i[inside], j[inside], r[inside], J[inside]
    f, slope = radial_functions(length[inside], radial[I, J][inside], shape.basis[0] + 1)
    M = _sums(f, ri, rJ, atoms, kinds).reshape(atoms, -1)
    rf = slope / length[inside][:, None]

    inside = length < angular[I, J]
    ai, aj, ar, aJ, al = i[inside], j[inside], r[inside], J[inside], length[inside]
    f, d = radial_functions(al, angular[I, J][inside], shape.basis[1] + 1)
    unit = ar / al[:, None]
    b, gradient = harmonics(unit, shape.l_max)
    along = np.einsum("pc,pcm->pm", unit, gradient)
    tangential = (gradient - unit[:, :, None] * along[:, None]) / al[:, None, None]
    B = _sums((f[:, :, None] * b[:, None]).reshape(len(al), f.shape[1] * b.shape[1]), ai, aJ, atoms, kinds)
    B = B.reshape(atoms, kinds * f.shape[1], b.shape[1])

    edges, index = np.cumsum(counts)[:-1], np.int32
    starts = [np.concatenate([[0], np.cumsum(np.bincount(k, minlength=atoms))]).astype(index) for k in (ai, ri)]
    return Environment(
        order, counts.astype(index),
        [m.astype(real) for m in np.split(M, edges)],
        [np.ascontiguousarray(m.transpose(1, 0, 2)).astype(real) for m in np.split(B, edges)],
        ar.astype(real), np.concatenate([f, d], 1).astype(real),
        np.concatenate([b[:, None], tangential], 1).astype(real),
        starts[0], aj.astype(index), aJ.astype(index),
        rr.astype(real), rf.astype(real), starts[1], rj.astype(index), rJ.astype(index),
        (int(np.diff(starts[1]).max(initial=0)), int(np.diff(starts[0]).max(initial=0))))
