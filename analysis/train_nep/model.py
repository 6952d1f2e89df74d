"""The NEP4 model as a torch module: energy, forces and virial of a batch of frames.

Forces are written out (closed form of the one-layer network, then the linear map of pairs), so that
training needs a single reverse pass.
"""

import ctypes
import glob
import os
import subprocess
import tempfile
from pathlib import Path

import numpy as np
import torch

from .environment import harmonic_weights

FOUR_BODY = (np.array([25 / 14336, 2025 / 14336, 2025 / 3584, 18225 / 3584, 18225 / 896]) ** 0.5 / np.pi**1.5).tolist()


class PairKernel:
    """pairs.c, compiled for one shape and number type; None from `make` where there is no compiler."""

    FIELDS = ("ang_r", "ang_f", "ang_b", "rad_r", "rad_f", "ang_start", "ang_j", "ang_J", "rad_start", "rad_j", "rad_J",
              "counts")

    def __init__(self, library):
        self.forward, self.backward = library.forward, library.backward

    @classmethod
    def make(cls, shape, dtype):
        folder = tempfile.TemporaryDirectory(prefix="train-nep-")
        output = Path(folder.name) / "pairs.so"
        real = "float" if dtype == torch.float32 else "double"
        # torch's own OpenMP runtime, so that its threads and ours are the same ones
        runtime = glob.glob(str(Path(torch.__file__).parent / "lib" / "libgomp*.so*"))
        compiler = os.environ.get("CC", "cc")
        flags = ["-O3", "-march=native", "-ffast-math", "-fPIC", "-fopenmp", f"-DREAL={real}",
                 f"-DHARMONICS={shape.harmonics}", f"-DBASIS_A={shape.basis[1] + 1}", f"-DBASIS_R={shape.basis[0] + 1}"]
        try:
            source, unit = str(Path(__file__).with_name("pairs.c")), str(Path(folder.name) / "pairs.o")
            subprocess.run([compiler, *flags, "-c", source, "-o", unit], check=True, capture_output=True)
            link = [] if runtime else ["-fopenmp"]
            subprocess.run([compiler, "-shared", unit, "-o", str(output), "-lm", *link], check=True, capture_output=True)
            for library in runtime:
                ctypes.CDLL(library, mode=ctypes.RTLD_GLOBAL)
            kernel = cls(ctypes.CDLL(str(output)))
        except (OSError, subprocess.CalledProcessError):
            return None
        finally:
            folder.cleanup()
        return kernel


def _pointer(tensor):
    return ctypes.c_void_p(tensor.data_ptr())


def _pointers(tensors):
    return (ctypes.c_void_p * len(tensors))(*(t.data_ptr() for t in tensors))


class _KernelMap(torch.autograd.Function):
    @staticmethod
    def forward(ctx, batch, kernel, *coefficients):
        coefficients = [c.contiguous() for c in coefficients]
        kinds = len(coefficients) // 2
        forces = coefficients[0].new_zeros(batch.atoms, 3)
        virials = coefficients[0].new_zeros(batch.frames, 3, 3)
        kernel.forward(batch.frames, kinds, _pointer(batch.table), _pointer(batch.first), _pointer(batch.offset),
                       _pointer(batch.total), _pointers(coefficients[:kinds]), _pointers(coefficients[kinds:]),
                       _pointer(forces), _pointer(virials))
        ctx.batch, ctx.kernel, ctx.shapes = batch, kernel, [c.shape for c in coefficients]
        return forces, virials

    @staticmethod
    def backward(ctx, forces, virials):
        batch, kinds = ctx.batch, len(ctx.shapes) // 2
        gradients = [forces.new_zeros(shape) for shape in ctx.shapes]
        forces, virials = forces.contiguous(), virials.contiguous()
        ctx.kernel.backward(batch.frames, kinds, _pointer(batch.table), _pointer(batch.first), _pointer(batch.offset),
                            _pointer(batch.total), _pointers(gradients[:kinds]), _pointers(gradients[kinds:]),
                            _pointer(forces), _pointer(virials))
        return None, None, *gradients


def _torch_map(batch, shape, R, Q):
    """The map of pairs.c in torch operations: for GPUs, and where there is no compiler."""
    kinds, K = len(shape.elements), shape.basis[1] + 1
    R = torch.cat([c.view(kinds, K, -1, shape.harmonics).permute(2, 0, 3, 1) for c in R])
    Q = torch.cat(Q).view(-1, kinds, shape.basis[0] + 1)
    pair = batch.pairs
    T = torch.bmm(pair["ang_f"].view(-1, 2, K), R[pair["ang_own"], pair["ang_J"]].transpose(1, 2))
    r = pair["ang_r"]
    p = torch.einsum("pm,pdm->pd", T[:, 0], pair["ang_b"][:, 1:])
    p = p + r * ((T[:, 1] * pair["ang_b"][:, 0]).sum(1) / r.norm(dim=1))[:, None]
    s = pair["rad_r"]
    g = s * (Q[pair["rad_own"], pair["rad_J"]] * pair["rad_f"]).sum(1)[:, None]
    forces, virials = R.new_zeros(batch.atoms, 3), R.new_zeros(batch.frames, 9)
    for vectors, gradients, kind in ((r, p, "ang"), (s, g, "rad")):
        forces = forces.index_add(0, pair[kind + "_i"], gradients).index_add(0, pair[kind + "_j"], -gradients)
        outer = (vectors[:, :, None] * gradients[:, None]).reshape(-1, 9)
        virials = virials.index_add(0, pair[kind + "_frame"], -outer)
    return forces, virials.view(-1, 3, 3)


class Batch:
    """Some frames put together: moments joined, pairs by reference (CPU kernel) or joined (torch)."""

    def __init__(self, store, members):
        self.members, self.frames, self.kernel = members, len(members), store.kernel
        counts = store.counts[members]
        self.species_atoms = counts.sum(0).tolist()
        sizes = counts.sum(1)
        self.sizes = torch.from_numpy(sizes.astype(np.float64)).to(store.device, store.dtype)
        self.atoms = int(sizes.sum())
        first = np.cumsum(sizes) - sizes
        offset = np.cumsum(counts, 0) - counts
        kinds = counts.shape[1]
        self.radial = [torch.cat([store.radial[m][I] for m in members]) for I in range(kinds)]
        self.angular = [torch.cat([store.angular[m][I] for m in members], 1) for I in range(kinds)]
        frame_of = [np.repeat(np.arange(self.frames), counts[:, I]) for I in range(kinds)]
        self.frame_of = torch.from_numpy(np.concatenate(frame_of)).to(store.device)
        self.atom_frame = torch.from_numpy(np.repeat(np.arange(self.frames), sizes)).to(store.device)
        if store.kernel is not None:
            self.table = store.table[members].contiguous()
            self.first = torch.from_numpy(first.astype(np.int32))
            self.offset = torch.from_numpy(np.ascontiguousarray(offset.astype(np.int32)))
            self.total = torch.tensor(self.species_atoms, dtype=torch.int32)
        else:
            self._join(store, first, offset)

    def _join(self, store, first, offset):
        # place of every atom in the species-major order of the coefficients
        start = np.concatenate([[0], np.cumsum(self.species_atoms)[:-1]])
        own = []
        for b, m in enumerate(self.members):
            for I, count in enumerate(store.counts[m]):
                own.append(start[I] + offset[b, I] + np.arange(count))
        own = torch.from_numpy(np.concatenate(own)).to(store.device)
        self.pairs = {}
        for kind in ("ang", "rad"):
            for name in ("r", "f", "J") + (("b",) if kind == "ang" else ()):
                self.pairs[f"{kind}_{name}"] = torch.cat([store.pairs[m][f"{kind}_{name}"] for m in self.members])
            for name in ("i", "j"):
                self.pairs[f"{kind}_{name}"] = torch.cat(
                    [store.pairs[m][f"{kind}_{name}"] + int(at) for m, at in zip(self.members, first)])
            self.pairs[f"{kind}_J"] = self.pairs[f"{kind}_J"].long()
            self.pairs[f"{kind}_own"] = own[self.pairs[f"{kind}_i"]]
            self.pairs[f"{kind}_frame"] = self.atom_frame[self.pairs[f"{kind}_i"]]


class Store:
    """Environments of frames on a device, and the kernel that goes over their pairs."""

    def __init__(self, environments, shape, dtype, device="cpu", use_kernel=True):
        self.shape, self.dtype, self.device = shape, dtype, torch.device(device)
        self.counts = np.array([e.counts for e in environments])
        self.kernel = PairKernel.make(shape, dtype) if use_kernel and self.device.type == "cpu" else None
        put = lambda array: torch.from_numpy(array).to(self.device)
        self.radial = [[put(m) for m in e.radial_moments] for e in environments]
        self.angular = [[put(m) for m in e.angular_moments] for e in environments]
        if self.kernel is not None:
            self._kept = environments
            rows = [[getattr(e, name).ctypes.data for name in PairKernel.FIELDS] for e in environments]
            self.table = torch.tensor(rows, dtype=torch.int64)
        else:
            self.pairs = []
            for e in environments:
                arrays = {name: put(getattr(e, name)) for name in PairKernel.FIELDS if name != "counts"}
                for kind in ("ang", "rad"):
                    i = np.repeat(np.arange(len(e.order)), np.diff(getattr(e, kind + "_start")))
                    arrays[kind + "_i"] = put(i)
                    arrays[kind + "_j"] = arrays[kind + "_j"].long()
                self.pairs.append(arrays)

    def batch(self, members):
        return Batch(self, list(members))


class NEP(torch.nn.Module):
    """Parameters are stored for standardised inputs y = (q - mean)/width; `plain` gives those of the file.

    Coefficients are stored as c = stored @ basis, with a fixed matrix per species."""

    def __init__(self, shape, dtype=torch.float32):
        super().__init__()
        self.shape = shape
        kinds, D, H = len(shape.elements), shape.descriptors, shape.neurons
        new = lambda *size: torch.zeros(*size, dtype=dtype)
        widths = [kinds * (k + 1) for k in shape.basis]
        self.radial = torch.nn.Parameter(new(kinds, shape.n_max[0] + 1, widths[0]))
        self.angular = torch.nn.Parameter(new(kinds, shape.n_max[1] + 1, widths[1]))
        self.W0 = torch.nn.Parameter(new(kinds, H, D))
        self.b0 = torch.nn.Parameter(new(kinds, H))
        self.w1 = torch.nn.Parameter(new(kinds, H))
        self.b1 = torch.nn.Parameter(new(()))
        self.register_buffer("radial_basis", torch.eye(widths[0], dtype=dtype).repeat(kinds, 1, 1))
        self.register_buffer("angular_basis", torch.eye(widths[1], dtype=dtype).repeat(kinds, 1, 1))
        self.register_buffer("mean", new(kinds, D))
        self.register_buffer("width", torch.ones(kinds, D, dtype=dtype))
        self.register_buffer("squares", torch.from_numpy(harmonic_weights(shape.l_max)).to(dtype), persistent=False)

    def descriptors(self, batch):
        """q [atom, D] (species-major), the sums s [n, atom, lm] and the coefficients, per species."""
        shape, kinds = self.shape, len(self.shape.elements)
        c_radial, c_angular = self.radial @ self.radial_basis, self.angular @ self.angular_basis
        radial = torch.cat([batch.radial[I] @ c_radial[I].T for I in range(kinds)])
        width = shape.harmonics
        s = torch.cat([(c_angular[I] @ batch.angular[I].reshape(batch.angular[I].shape[0], -1)).view(
            c_angular.shape[1], -1, width) for I in range(kinds)], 1)
        parts = [(s * s) @ self.squares]
        if shape.four_body:
            k1, k2, k3, k4, k5 = FOUR_BODY
            a, b, c, d, e = s[..., 3:8].unbind(-1)
            parts.append((a * (k2 * (d * d + e * e) - k1 * a * a - k3 * (b * b + c * c)) + k4 * d * (c * c - b * b)
                          - k5 * b * c * e)[..., None])
        angular = torch.cat(parts, -1).permute(1, 2, 0).reshape(s.shape[1], -1)
        return torch.cat([radial, angular], 1), s, c_radial, c_angular

    def forward(self, batch):
        """Energies [frame], forces [atom, 3] (frame by frame, atoms by species), virials [frame, 3, 3]."""
        shape, kinds = self.shape, len(self.shape.elements)
        q, s, c_radial, c_angular = self.descriptors(batch)
        energies, slopes, at = [], [], 0
        for I, count in enumerate(batch.species_atoms):
            W = self.W0[I] / self.width[I]
            h = torch.tanh(q[at:at + count] @ W.T - (self.b0[I] + W @ self.mean[I]))
            energies.append(h @ self.w1[I])
            slopes.append(((1 - h * h) * self.w1[I]) @ W)
            at += count
        energy = q.new_zeros(batch.frames).index_add(0, batch.frame_of, torch.cat(energies)) - batch.sizes * self.b1
        P = torch.cat(slopes)
        radial = shape.n_max[0] + 1
        Pa = P[:, radial:].reshape(len(P), shape.channels, -1).permute(2, 0, 1)
        phi = (Pa[..., :shape.l_max] @ self.squares.T) * s * 2
        if shape.four_body:
            k1, k2, k3, k4, k5 = FOUR_BODY
            a, b, c, d, e = s[..., 3:8].unbind(-1)
            gradient = torch.stack([
                k2 * (d * d + e * e) - 3 * k1 * a * a - k3 * (b * b + c * c),
                -2 * k3 * a * b - 2 * k4 * b * d - k5 * c * e,
                -2 * k3 * a * c + 2 * k4 * c * d - k5 * b * e,
                2 * k2 * a * d + k4 * (c * c - b * b),
                2 * k2 * a * e - k5 * b * c], -1) * Pa[..., shape.l_max:]
            phi = torch.cat([phi[..., :3], phi[..., 3:8] + gradient, phi[..., 8:]], -1)
        R, Q, at = [], [], 0
        for I, count in enumerate(batch.species_atoms):
            part = phi[:, at:at + count].reshape(phi.shape[0], -1)
            R.append(c_angular[I].T @ part)
            Q.append(P[at:at + count, :radial] @ c_radial[I])
            at += count
        if batch.kernel is not None:
            forces, virials = _KernelMap.apply(batch, batch.kernel, *R, *Q)
        else:
            forces, virials = _torch_map(batch, shape, R, Q)
        return energy, forces, virials

    def plain(self):
        """c radial [I, n, J, k], c angular, W0, b0, w1, b1 for q itself as input, in float64."""
        kinds = len(self.shape.elements)
        get = lambda t: t.detach().double().cpu()
        c = [(get(a) @ get(b)).view(kinds, a.shape[1], kinds, -1).numpy()
             for a, b in ((self.radial, self.radial_basis), (self.angular, self.angular_basis))]
        W = get(self.W0) / get(self.width)[:, None]
        b0 = get(self.b0) + (W @ get(self.mean)[:, :, None])[..., 0]
        return c[0], c[1], W.numpy(), b0.numpy(), get(self.w1).numpy(), float(get(self.b1))

    def set_plain(self, c_radial, c_angular, W0, b0, w1, b1):
        """The opposite of `plain`: identity basis, no standardisation."""
        kinds = len(self.shape.elements)
        with torch.no_grad():
            for target, value in ((self.radial, c_radial.reshape(kinds, c_radial.shape[1], -1)),
                                  (self.angular, c_angular.reshape(kinds, c_angular.shape[1], -1)),
                                  (self.W0, W0), (self.b0, b0), (self.w1, w1), (self.b1, np.asarray(b1))):
                target.copy_(torch.from_numpy(np.asarray(value)))
            for name in ("radial_basis", "angular_basis"):
                buffer = getattr(self, name)
                buffer.copy_(torch.eye(buffer.shape[1], dtype=buffer.dtype).expand_as(buffer))
            self.mean.zero_()
            self.width.fill_(1)
        return self
