"""python -m unittest discover -s analysis/train_nep/tests -t analysis"""

import contextlib
import io
import sys
import tempfile
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

import numpy as np

try:
    import torch
except ImportError:
    raise unittest.SkipTest("PyTorch is absent: nothing of the trainer is tested")

from train_nep import __main__ as command
from train_nep.environment import environment, harmonics, pairs, radial_functions
from train_nep.frames import Frame, read_frames
from train_nep.model import NEP, Store
from train_nep.nepfile import read_nep, write_nep
from train_nep.shape import Shape
from train_nep.soap import SOAP

try:
    from calorine.calculators import CPUNEP
except ImportError:
    CPUNEP = None

ELEMENTS = ["Si", "C"]


def crystal(seed, size=0.05, strain=0.03):
    """Zincblende SiC, 8 atoms, displaced and strained: thinner than the cutoff, so images count."""
    random = np.random.default_rng(seed)
    face = np.array([[0, 0, 0], [0, 0.5, 0.5], [0.5, 0, 0.5], [0.5, 0.5, 0]])
    cell = 4.36 * (np.eye(3) + strain * random.uniform(-1, 1, (3, 3)))
    positions = np.concatenate([face, face + 0.25]) @ cell + size * random.normal(size=(8, 3))
    symbols = ["Si"] * 4 + ["C"] * 4
    order = random.permutation(8)
    return Frame("made", seed, 0, [symbols[k] for k in order], cell, np.ones(3, bool), positions[order], 0.0,
                 np.zeros((8, 3)), None, "crystal")


def labelled(frame):
    """The frame with energy, forces and virial of a Morse pair potential, smooth at 5 Å."""
    depth, width, minimum, cutoff = 1.0, 1.2, 2.0, 5.0
    i, j, r = pairs(frame.cell, frame.periodic, frame.positions, cutoff)
    d = np.linalg.norm(r, axis=1)
    x = np.exp(-width * (d - minimum))
    smooth, slope = (1 - (d / cutoff) ** 2) ** 2, -4 * d / cutoff**2 * (1 - (d / cutoff) ** 2)
    value, dv = depth * (x * x - 2 * x), depth * width * (2 * x - 2 * x * x)
    p = 0.5 * ((dv * smooth + value * slope) / d)[:, None] * r
    forces = np.zeros_like(frame.positions)
    np.add.at(forces, i, p)
    np.add.at(forces, j, -p)
    reference = {"Si": -105.0, "C": -155.0}
    frame.energy = 0.5 * float((value * smooth).sum()) + sum(reference[s] for s in frame.symbols)
    frame.forces, frame.virial = forces, -r.T @ p
    return frame


def text_of(frames):
    lines = []
    for f in frames:
        numbers = lambda a: " ".join(f"{v:.12g}" for v in np.ravel(a))
        lines += [str(len(f)), f'Lattice="{numbers(f.cell)}" Properties=species:S:1:pos:R:3:forces:R:3 '
                  f'config_type={f.config_type} energy={f.energy:.12g} virial="{numbers(f.virial)}" pbc="T T T"']
        lines += [f"{s} {numbers(p)} {numbers(v)}" for s, p, v in zip(f.symbols, f.positions, f.forces)]
    return "\n".join(lines) + "\n"


def random_model(shape, seed=1):
    random = np.random.default_rng(seed)
    kinds, D, H = len(shape.elements), shape.descriptors, shape.neurons
    c = [0.4 * random.normal(size=(kinds, shape.n_max[k] + 1, kinds, shape.basis[k] + 1)) for k in (0, 1)]
    return (c[0], c[1], 0.1 * random.normal(size=(kinds, H, D)), random.normal(size=(kinds, H)),
            0.5 * random.normal(size=(kinds, H)), 0.3)


def shape_of(**changes):
    values = dict(elements=ELEMENTS, cutoffs=[(5.0, 4.0), (4.4, 3.6)], n_max=(4, 3), basis=(6, 5), l_max=4,
                  four_body=True, neurons=8)
    return Shape(**{**values, **changes})


class ModelTests(unittest.TestCase):
    def setUp(self):
        self.frames = [crystal(k) for k in range(3)]

    def results(self, shape, parameters, frames, **options):
        store = Store([environment(f, shape, np.float64) for f in frames], shape, torch.float64, **options)
        with torch.no_grad():
            return [t.numpy() for t in NEP(shape, torch.float64).set_plain(*parameters)(store.batch(range(len(frames))))]

    def test_radial_and_angular_derivatives(self):
        r, h = np.linspace(0.5, 4.4, 40), 1e-5
        f, slope = radial_functions(r, np.full(40, 4.5), 7)
        numeric = (radial_functions(r + h, 4.5, 7)[0] - radial_functions(r - h, 4.5, 7)[0]) / (2 * h)
        self.assertLess(np.abs(slope - numeric).max(), 1e-8)
        points = np.random.default_rng(1).normal(size=(20, 3))
        value, gradient = harmonics(points, 4)
        for axis in range(3):
            step = np.eye(3)[axis] * h
            numeric = (harmonics(points + step, 4)[0] - harmonics(points - step, 4)[0]) / (2 * h)
            self.assertLess(np.abs(gradient[:, axis] - numeric).max(), 1e-6)

    def test_forces_and_virial_are_derivatives(self):
        shape = shape_of()
        parameters, frame, h = random_model(shape), self.frames[0], 1e-4
        _, forces, virials = self.results(shape, parameters, [frame])
        order = environment(frame, shape, np.float64).order
        energy = lambda f: self.results(shape, parameters, [f])[0][0]

        def moved(change):
            copy = crystal(0)
            change(copy)
            return energy(copy)

        for atom, axis in ((0, 0), (3, 1), (6, 2)):
            def shift(sign):
                def change(f):
                    f.positions[order[atom], axis] += sign * h
                return change
            numeric = -(moved(shift(1)) - moved(shift(-1))) / (2 * h)
            self.assertLess(abs(forces[atom, axis] - numeric), 1e-6)
        for a, b in ((0, 0), (0, 1), (2, 1)):
            def strain(sign):
                def change(f):
                    deform = np.eye(3)
                    deform[a, b] += sign * h
                    f.cell, f.positions = f.cell @ deform, f.positions @ deform
                return change
            numeric = -(moved(strain(1)) - moved(strain(-1))) / (2 * h)
            self.assertLess(abs(virials[0][a, b] - numeric), 1e-5)

    def test_kernel_and_torch_agree(self):
        shape = shape_of(l_max=3, four_body=True)
        parameters = random_model(shape)
        environments = [environment(f, shape, np.float64) for f in self.frames]
        gathered = []
        for use_kernel in (True, False):
            store = Store(environments, shape, torch.float64, use_kernel=use_kernel)
            if use_kernel and store.kernel is None:
                self.skipTest("no C compiler")
            model = NEP(shape, torch.float64).set_plain(*parameters)
            energy, forces, virial = model(store.batch([2, 0]))
            (energy.square().sum() + forces.pow(3).sum() + virial.pow(3).sum()).backward()
            gathered.append([energy, forces, virial] + [p.grad for p in model.parameters()])
        for one, two in zip(*gathered):
            self.assertLess(float((one - two).detach().abs().max()), 1e-10 * (1 + float(two.detach().abs().max())))

    def test_batch_equals_single(self):
        shape = shape_of()
        parameters = random_model(shape)
        together = self.results(shape, parameters, self.frames)
        for k, f in enumerate(self.frames):
            energy, forces, virial = self.results(shape, parameters, [f])
            self.assertLess(abs(energy[0] - together[0][k]), 1e-11)
            self.assertLess(np.abs(forces - together[1][8 * k:8 * k + 8]).max(), 1e-12)
            self.assertLess(np.abs(virial[0] - together[2][k]).max(), 1e-11)

    def test_file_holds_the_model(self):
        for constants in (None, [-105.0, -155.0], [-120.0, -120.0]):
            shape = shape_of()
            parameters = random_model(shape)
            with tempfile.TemporaryDirectory() as folder:
                path = Path(folder) / "nep.txt"
                write_nep(path, shape, parameters, np.linspace(0.5, 2, shape.descriptors), (60, 30), constants)
                read_shape, read = read_nep(path)
            self.assertEqual(read_shape.cutoffs, shape.cutoffs)
            before, after = self.results(shape, parameters, self.frames), self.results(read_shape, read, self.frames)
            shift = 0 if constants is None else 4 * sum(constants)
            # nine digits in the file
            self.assertLess(np.abs(after[0] - before[0] - shift).max(), 1e-6)
            self.assertLess(np.abs(after[1] - before[1]).max(), 1e-6)

    @unittest.skipIf(CPUNEP is None, "calorine is absent: the file is not compared with NEP_CPU")
    def test_nep_cpu_reads_the_same(self):
        from ase import Atoms
        for changes in ({}, {"four_body": False, "l_max": 3}, {"cutoffs": [(5.0, 4.0)] * 2}):
            shape = shape_of(**changes)
            with tempfile.TemporaryDirectory() as folder:
                path = Path(folder) / "nep.txt"
                write_nep(path, shape, random_model(shape), np.linspace(0.5, 2, shape.descriptors), (60, 30), [-105, -155])
                read_shape, read = read_nep(path)
                energies, forces, virials = self.results(read_shape, read, self.frames)
                for k, f in enumerate(self.frames):
                    atoms = Atoms(f.symbols, positions=f.positions, cell=f.cell, pbc=True, calculator=CPUNEP(str(path)))
                    order = environment(f, shape, np.float64).order
                    self.assertLess(abs(atoms.get_potential_energy() - energies[k]), 1e-10)
                    self.assertLess(np.abs(atoms.get_forces()[order] - forces[8 * k:8 * k + 8]).max(), 1e-11)
                    virial = -atoms.get_volume() * atoms.get_stress(voigt=False)
                    self.assertLess(np.abs(virial - virials[k]).max(), 1e-10)


class OptimiserTests(unittest.TestCase):
    """Matrices fitted through two mixing matrices of condition 100: the directions of the curvature are not those
    of the entries, which is what the bases are for."""

    def distance(self, make, steps=600):
        generator = torch.Generator().manual_seed(5)
        turn = lambda n: torch.linalg.qr(torch.randn(3, n, n, generator=generator, dtype=torch.float64))[0]
        stretch = lambda n: torch.logspace(0, -2, n, dtype=torch.float64)
        A, B = turn(6) * stretch(6), turn(9) * stretch(9)
        A, B = A @ turn(6), B @ turn(9)
        target = torch.randn(3, 6, 9, generator=generator, dtype=torch.float64)
        X = torch.nn.Parameter(torch.zeros(3, 6, 9, dtype=torch.float64))
        optimizer = make([X])
        start = None
        for step in range(steps):
            for group in optimizer.param_groups:
                group["lr"] = 0.03 * (1 - step / steps)
            value = ((A @ (X - target) @ B.mT) ** 2).sum()
            start = float(value.detach()) if start is None else start
            optimizer.zero_grad()
            value.backward()
            optimizer.step()
        return float(value.detach()) / start

    def test_bases_find_the_directions(self):
        adam = self.distance(lambda p: torch.optim.Adam(p, lr=0.03))
        soap = self.distance(lambda p: SOAP(p, 0.03))
        self.assertLess(soap, 0.1 * adam)
        self.assertLess(soap, 1e-4)

    def test_vectors_take_plain_adam(self):
        target = torch.tensor([1.0, -2.0, 3.0], dtype=torch.float64)
        ends = []
        for make in (lambda p: torch.optim.Adam(p, lr=0.01, betas=(0.98, 0.98), eps=1e-10), lambda p: SOAP(p, 0.01)):
            x = torch.nn.Parameter(torch.zeros(3, dtype=torch.float64))
            optimizer = make([x])
            for _ in range(50):
                optimizer.zero_grad()
                ((x - target) ** 4).sum().backward()
                optimizer.step()
            ends.append(x.detach().numpy())
        np.testing.assert_allclose(ends[0], ends[1], rtol=1e-12)

    def test_decay_shrinks_matrices_alone(self):
        X, x = (torch.nn.Parameter(torch.ones(*size, dtype=torch.float64)) for size in ((2, 3, 4), (5,)))
        optimizer = SOAP([X, x], lr=0.1, weight_decay=0.5)
        for _ in range(20):
            optimizer.zero_grad()
            (0 * X.sum() + 0 * x.sum()).backward()
            optimizer.step()
        np.testing.assert_allclose(X.detach().numpy(), 0.95**20, rtol=1e-12)
        np.testing.assert_array_equal(x.detach().numpy(), 1)


class CommandTests(unittest.TestCase):
    def setUp(self):
        self.keep = tempfile.TemporaryDirectory()
        self.folder = Path(self.keep.name)
        self.addCleanup(self.keep.cleanup)
        self.frames = [labelled(crystal(k, size=0.08)) for k in range(24)]
        (self.folder / "train.toml").write_text("""
[data]
frames = "frames.xyz"
[model]
elements = ["Si", "C"]
cutoff = [4.5, 3.0]
n_max = [3, 2]
basis_size = [5, 4]
neurons = 6
[training]
epochs = 6
validate_every = 2
threads = 1
device = "cpu"
""")

    def run_command(self, *arguments, text=None):
        (self.folder / "frames.xyz").write_text(text_of(self.frames) if text is None else text)
        out, error = io.StringIO(), io.StringIO()
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(error):
            code = command.main([str(self.folder / "train.toml"), "--output", str(self.folder / "out"), *arguments])
        return code, error.getvalue()

    def refused(self, *parts, text=None, arguments=()):
        code, error = self.run_command(*arguments, text=text)
        self.assertEqual(code, 2, error)
        self.assertEqual(error.count("\n"), 1, error)
        for part in parts:
            self.assertIn(part, error)
        self.assertFalse((self.folder / "out").exists())

    def test_trains_and_reports(self):
        code, error = self.run_command("--set", "training.epochs=40")
        self.assertEqual(code, 0, error)
        names = {p.name for p in (self.folder / "out").iterdir()}
        self.assertLessEqual({"nep.txt", "learning-curve.csv", "errors.csv", "split.csv", "model-card.txt",
                              "learning-curve.png", "parity.png", "checkpoint.pt"}, names)
        rows = [line.split(",") for line in (self.folder / "out" / "learning-curve.csv").read_text().splitlines()[1:]]
        self.assertLess(float(rows[-1][3]), 0.2 * float(rows[0][3]))

    def test_resume_equals_unbroken(self):
        self.run_command()
        whole = (self.folder / "out" / "nep.txt").read_text()
        (self.folder / "out").rename(self.folder / "whole")

        from train_nep.training import Training
        validate = Training.validate

        def interrupted(training):
            result = validate(training)
            if training.epoch == 4:
                (self.folder / "out" / "STOP").touch()
            return result

        Training.validate = interrupted
        try:
            self.run_command()
        finally:
            Training.validate = validate
        self.assertNotEqual((self.folder / "out" / "nep.txt").read_text(), whole)
        code, error = self.run_command("--resume")
        self.assertEqual(code, 0, error)
        self.assertEqual((self.folder / "out" / "nep.txt").read_text(), whole)

    def test_seeds(self):
        for name, seed in (("a", 3), ("b", 3), ("c", 4)):
            self.run_command("--seed", str(seed))
            (self.folder / "out").rename(self.folder / name)
        read = lambda name: (self.folder / name / "nep.txt").read_text()
        self.assertEqual(read("a"), read("b"))
        self.assertNotEqual(read("a"), read("c"))

    def test_folded_reference_gives_total_energies(self):
        code, error = self.run_command("--set", "energy.write=folded", "--set", "energy.reference={Si = -105.0, C = -155.0}")
        self.assertEqual(code, 0, error)
        f = self.frames[0]
        self.assertLess(abs(self.file_energy(f) - f.energy), 0.3 * len(f))

    def test_isolated_atoms_are_the_zero(self):
        for symbol, energy in (("Si", -103.0), ("C", -151.0)):
            self.frames.append(Frame("made", 0, 0, [symbol], 20 * np.eye(3), np.ones(3, bool), np.zeros((1, 3)), energy,
                                     np.zeros((1, 3)), np.zeros((3, 3)), "isolated"))
        code, error = self.run_command("--set", "energy.reference=isolated")
        self.assertEqual(code, 0, error)
        f = self.frames[0]
        expected = f.energy - 4 * (-103.0 - 151.0)
        self.assertLess(abs(self.file_energy(f) - expected), 0.3 * len(f))

    def file_energy(self, frame):
        shape, parameters = read_nep(self.folder / "out" / "nep.txt")
        store = Store([environment(frame, shape, np.float64)], shape, torch.float64)
        with torch.no_grad():
            return float(NEP(shape, torch.float64).set_plain(*parameters)(store.batch([0]))[0][0])

    def test_missing_virial(self):
        text = text_of(self.frames)
        at = text.index(' virial="', text.index("Lattice", 3000))
        number = text[:at].count("Lattice")
        self.refused(f"frames.xyz: frame {number} (line {10 * number - 9})", "no virial or stress", "weight",
                     text=text[:at] + text[text.index('"', at + 10) + 1:])

    def test_wrong_element(self):
        self.refused("frame 1 (line 1)", "'Ge', expected an element of the model (Si C)",
                     text=text_of(self.frames).replace("\nSi ", "\nGe ", 1))
        self.refused("'Qx', expected a chemical symbol", text=text_of(self.frames).replace("\nSi ", "\nQx ", 1))

    def test_nan_labels(self):
        self.frames[4].forces[2, 1] = np.nan
        self.refused("frame 5 (line 41): atom 3 (line 45) has a force of nan")
        self.frames[4].forces[2, 1] = 0
        self.frames[6].energy = np.nan
        self.refused("frame 7 (line 61): energy holds nan")

    def test_forces_in_atomic_units(self):
        for f in self.frames:
            f.forces /= 51.42
        self.refused("frame 1 (line 1)", "Hartree/Bohr", "convert")

    def test_one_frame_in_atomic_units(self):
        self.frames[9].forces /= 51.42
        self.refused("frame 10 (line 91)", "Hartree/Bohr")

    def test_forces_and_virials_of_the_wrong_sign(self):
        for f in self.frames:
            f.virial = -f.virial
        self.refused("virials have the opposite sign")
        for f in self.frames:
            f.virial, f.forces = -f.virial, -f.forces
        self.refused("change the sign of the forces")

    def test_energies_of_another_reference(self):
        self.frames[11].energy += 40
        self.refused("frame 12 (line 111)", "+4.9", "eV/atom from the reference")

    def test_duplicates_across_the_split(self):
        (self.folder / "test.xyz").write_text(text_of([self.frames[3]]))
        self.refused("test.xyz: frame 1 (line 1)", "same as frame 4", "train set", arguments=("--set", "data.test=test.xyz"))

    def test_stress_and_virial_that_differ(self):
        self.refused("frame 1 (line 1)", "-V·stress", text=text_of(self.frames).replace(
            " virial=", ' stress="1 0 0 0 1 0 0 0 1" virial=', 1))

    def test_file_cut_short(self):
        text = "\n".join(text_of(self.frames).splitlines()[:-2])
        self.refused("frame 24 (line 231)", "cut short", text=text)

    def test_configuration(self):
        self.refused("training.epoch", "did you mean 'epochs'?", arguments=("--set", "training.epoch=5"))
        self.refused("model.cutoff", "2 Å ≤ angular ≤ radial", arguments=("--set", "model.cutoff=[4, 5]"))
        self.refused("training.batch_size", "a whole number of at least 1", arguments=("--set", "training.batch_size=0"))

    def test_output_is_not_overwritten(self):
        (self.folder / "out").mkdir()
        (self.folder / "out" / "mine").touch()
        code, error = self.run_command()
        self.assertEqual(code, 2)
        self.assertIn("is not empty", error)
        self.assertEqual([p.name for p in (self.folder / "out").iterdir()], ["mine"])


if __name__ == "__main__":
    unittest.main()
