"""Seconds of `apus analyze` and of its observables beside MDAnalysis and freud, on one synthetic trajectory.

1152 atoms of 2,5-diiodothiophene about their sites, each coordinate an Ornstein-Uhlenbeck process; every peer has the
positions in memory, and so has Apus where single observables are timed. Rounds alternate. The whole analysis reads an
AMBER NetCDF file with velocities, energies and stresses. Needs MDAnalysis, tidynamics, freud-analysis, netCDF4 and the
built tests:

    python3 analysis/bench_analysis.py STRUCTURE.xyz [--frames 20000] [--rounds 3] [--threads 2] [--slow 1000] [--part 8]
        [--peers msd,rdf,freud,freud-list] [--whole]
"""

import argparse
import os
import pathlib
import re
import subprocess
import tempfile
import time

os.environ.setdefault("OMP_NUM_THREADS", "1")
import numpy as np  # noqa: E402

FLAGS = "-c release -Xcc -march=x86-64-v4 -Xcc -fno-math-errno".split()
REPO = pathlib.Path(__file__).resolve().parent.parent
SPACING = 0.01  # ps


def crystal(path, repeats):
    """Symbols, edges and positions of a repeated orthogonal extended XYZ."""
    lines = pathlib.Path(path).read_text().splitlines()
    n = int(lines[0])
    lattice = np.array(re.search(r'Lattice="([^"]+)"', lines[1])[1].split(), float)
    edges = lattice.reshape(3, 3).diagonal()
    symbols = [line.split()[0] for line in lines[2 : 2 + n]]
    sites = np.array([line.split()[1:4] for line in lines[2 : 2 + n]], float)
    shifts = np.array(list(np.ndindex(*repeats))) * edges
    return symbols * len(shifts), edges * repeats, (sites + shifts[:, None]).reshape(-1, 3)


def trajectory(sites, frames, amplitude=0.05, memory=0.9, seed=1):
    random = np.random.default_rng(seed)
    u = random.normal(size=sites.shape) * amplitude
    step = amplitude * (1 - memory**2) ** 0.5
    positions = np.empty((frames, *sites.shape), np.float32)
    for f in range(frames):
        positions[f] = sites + u
        u = memory * u + step * random.normal(size=sites.shape)
    return positions


def write_netcdf(path, edges, positions, seed=2):
    """A file as `apus run` writes it, with made-up energies, stresses and velocities."""
    import netCDF4

    frames, atoms, _ = positions.shape
    random = np.random.default_rng(seed)
    with netCDF4.Dataset(path, "w", format="NETCDF3_64BIT_OFFSET") as file:
        file.set_fill_off()
        file.setncatts({"Conventions": "AMBER", "ConventionVersion": "1.0", "program": "apus", "title": "benchmark",
                        "programVersion": "0", "application": "AMBER", "apus_coordinates": "unwrapped"})
        for name, length in [("frame", None), ("atom", atoms), ("spatial", 3), ("cell_spatial", 3),
                             ("cell_angular", 3), ("label", 5), ("component", 6)]:
            file.createDimension(name, length)

        def variable(name, kind, dimensions, units):
            v = file.createVariable(name, kind, dimensions)
            v.units = units
            return v

        clock = variable("time", "f8", ("frame",), "picosecond")
        lengths = variable("cell_lengths", "f8", ("frame", "cell_spatial"), "angstrom")
        angles = variable("cell_angles", "f8", ("frame", "cell_angular"), "degree")
        energy = variable("potential_energy", "f8", ("frame",), "eV")
        kinetic = variable("kinetic_energy", "f8", ("frame",), "eV")
        temperature = variable("temperature", "f8", ("frame",), "kelvin")
        stress = variable("stress", "f8", ("frame", "component"), "GPa")
        coordinates = variable("coordinates", "f4", ("frame", "atom", "spatial"), "angstrom")
        velocities = variable("velocities", "f4", ("frame", "atom", "spatial"), "angstrom/picosecond")
        for first in range(0, frames, 500):
            part = slice(first, min(first + 500, frames))
            n = part.stop - part.start
            clock[part] = SPACING * np.arange(part.start, part.stop)
            lengths[part] = np.broadcast_to(edges, (n, 3))
            angles[part] = 90.0
            energy[part] = -4000 + random.normal(size=n)
            kinetic[part] = 40 + random.normal(size=n)
            temperature[part] = 300 + random.normal(size=n)
            stress[part] = 0.1 * random.normal(size=(n, 6))
            coordinates[part] = positions[part]
            velocities[part] = 3 * random.standard_normal((n, atoms, 3), np.float32)


def apus(path, threads, only=None):
    environment = dict(os.environ, APUS_BENCH_TRAJECTORY=path, APUS_BENCH_THREADS=str(threads))
    if only:
        environment["APUS_BENCH_ONLY"] = only
    out = subprocess.run(
        ["swift", "test", *FLAGS, "--skip-build", "--filter", "AnalysisBench"],
        cwd=REPO, env=environment, capture_output=True, text=True, check=True).stdout
    return {m[1]: float(m[2]) for m in re.finditer(r"bench (\w+) ([0-9.eE+-]+)", out)}


class Peers:
    """The same observables by other programs: distributions of every `slow`-th frame and displacements of every
    `part`-th atom, which it treats one by one, scaled."""

    def __init__(self, symbols, edges, positions, slow, part, threads, cutoff=10.0, bins=400):
        self.symbols, self.edges, self.positions = np.array(symbols), edges, positions
        self.part = part
        self.slow, self.threads, self.cutoff, self.bins = slow, threads, cutoff, bins
        self.kinds = sorted(set(symbols))

    def universe(self):
        import MDAnalysis

        universe = MDAnalysis.Universe.empty(len(self.symbols), trajectory=False)
        universe.add_TopologyAttr("name", list(self.symbols))
        universe.load_new(
            self.positions, order="fac", dt=SPACING, dimensions=np.array([*self.edges, 90, 90, 90], np.float32))
        return universe

    def pairs(self):
        return [(a, b) for i, a in enumerate(self.kinds) for b in self.kinds[i:]]

    def msd(self):
        from MDAnalysis.analysis.msd import EinsteinMSD

        universe = self.universe()
        start = time.perf_counter()
        for k in self.kinds:
            EinsteinMSD(universe.select_atoms("name " + k)[:: self.part], select="all", fft=True).run()
        return (time.perf_counter() - start) * self.part

    def rdf(self):
        from MDAnalysis.analysis.rdf import InterRDF

        universe = self.universe()
        groups = {k: universe.select_atoms("name " + k) for k in self.kinds}
        start = time.perf_counter()
        for a, b in self.pairs():
            InterRDF(
                groups[a], groups[b], nbins=self.bins, range=(0, self.cutoff),
                exclusion_block=(1, 1) if a == b else None,
            ).run(step=self.slow)
        return (time.perf_counter() - start) * self.slow

    def freud(self):
        """Its own neighbour search for each pair."""
        import freud

        freud.parallel.set_num_threads(self.threads)
        box = freud.box.Box(*self.edges)
        members = {k: np.flatnonzero(self.symbols == k) for k in self.kinds}
        start = time.perf_counter()
        for a, b in self.pairs():
            rdf = freud.density.RDF(bins=self.bins, r_max=self.cutoff)
            for f in range(0, len(self.positions), self.slow):
                frame = self.positions[f]
                rdf.compute((box, frame[members[a]]), query_points=frame[members[b]], reset=False)
        return (time.perf_counter() - start) * self.slow

    def freud_list(self):
        """One neighbour list of all atoms a frame, filtered for each pair."""
        import freud

        freud.parallel.set_num_threads(self.threads)
        box = freud.box.Box(*self.edges)
        of = {k: self.symbols == k for k in self.kinds}
        rdfs = {p: freud.density.RDF(bins=self.bins, r_max=self.cutoff) for p in self.pairs()}
        start = time.perf_counter()
        for f in range(0, len(self.positions), self.slow):
            frame = self.positions[f]
            query = freud.locality.LinkCell(box, frame)
            near = query.query(frame, {"r_max": self.cutoff, "exclude_ii": True}).toNeighborList()
            i, j = near.query_point_indices, near.point_indices
            for (a, b), rdf in rdfs.items():
                part = near.copy()
                part.filter(of[a][i] & of[b][j])
                rdf.compute((box, frame), neighbors=part, reset=False)
        return (time.perf_counter() - start) * self.slow


NAMES = {"msd": ("MDAnalysis EinsteinMSD(fft=True)", "msd"), "rdf": ("MDAnalysis InterRDF", "rdf"),
         "freud": ("freud RDF", "rdf"), "freud-list": ("freud RDF, shared list", "rdf")}


def whole(path, structure, threads, folder):
    """Seconds of the default analysis of a file, and of reading it alone."""
    binary = REPO / ".build/release/apus"

    def seconds(*words):
        start = time.perf_counter()
        subprocess.run([binary, *words, "--quiet", "--threads", str(threads)], check=True, stdout=subprocess.DEVNULL)
        return time.perf_counter() - start

    deck = pathlib.Path(folder) / "read.yaml"
    deck.write_text("molecules: {herringbone: false}\n")
    output = folder + "/analysis"
    return (seconds("analyze", path, "--topology", structure, "--output", output),
            seconds("analyze", path, "--topology", structure, "--output", output, "--config", str(deck)))


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("structure")
    parser.add_argument("--frames", type=int, default=20000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--slow", type=int, default=1000, help="distributions by peers: one of so many frames")
    parser.add_argument("--part", type=int, default=1, help="displacements by peers: one of so many atoms")
    parser.add_argument("--peers", default="msd,rdf,freud,freud-list", help="in this order")
    parser.add_argument("--whole", action="store_true", help="first the whole analysis of a file, as often")
    options = parser.parse_args()
    symbols, edges, sites = crystal(options.structure, (2, 2, 4))
    positions = trajectory(sites, options.frames)
    with tempfile.TemporaryDirectory() as folder:
        path = folder + "/trajectory"
        if options.whole:
            topology = folder + "/topology.xyz"
            pathlib.Path(topology).write_text(
                f"{len(symbols)}\nLattice=\"{edges[0]} 0 0 0 {edges[1]} 0 0 0 {edges[2]}\" Properties=species:S:1:pos:R:3\n"
                + "".join(f"{s} {x} {y} {z}\n" for s, (x, y, z) in zip(symbols, sites)))
            write_netcdf(path + ".nc", edges, positions)
            for _ in range(options.rounds):
                both = whole(path + ".nc", topology, options.threads, folder)
                print("whole analysis {:.1f} s; reading and bonds alone {:.1f} s".format(*both), flush=True)
            os.remove(path + ".nc")
        with open(path, "wb") as file:
            file.write(np.asarray(edges, np.float32).tobytes())
            file.write(positions.tobytes())
        pathlib.Path(path + ".symbols").write_text("\n".join(symbols))
        peers = Peers(symbols, edges, positions, options.slow, options.part, options.threads)
        for name in filter(None, options.peers.split(",")):
            label, own = NAMES[name]
            for _ in range(options.rounds):
                ours = apus(path, options.threads, own)[own]
                theirs = getattr(peers, name.replace("-", "_"))()
                print(f"{label}: {theirs:.2f} s, ours {ours:.3f} s, {theirs / ours:.1f} times as long", flush=True)
        print({k: round(v, 3) for k, v in apus(path, options.threads).items()})


main()
