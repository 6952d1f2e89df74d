"""Seconds of the trajectory observables beside MDAnalysis and freud, on one synthetic trajectory.

1152 atoms of 2,5-diiodothiophene composition about fixed sites, each coordinate an
Ornstein-Uhlenbeck process; every program has the positions in memory. Rounds alternate, one
thread each. Needs MDAnalysis, tidynamics and freud-analysis:

    python3 analysis/bench_analysis.py STRUCTURE.xyz [--frames 1000] [--rounds 3] [--threads 1]
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


def trajectory(sites, frames, amplitude=0.15, memory=0.9, seed=1):
    random = np.random.default_rng(seed)
    u = random.normal(size=sites.shape) * amplitude
    step = amplitude * (1 - memory**2) ** 0.5
    positions = np.empty((frames, *sites.shape), np.float32)
    for f in range(frames):
        positions[f] = sites + u
        u = memory * u + step * random.normal(size=sites.shape)
    return positions


def apus(path, threads):
    environment = dict(os.environ, APUS_BENCH_TRAJECTORY=path, APUS_BENCH_THREADS=str(threads))
    out = subprocess.run(
        ["swift", "test", *FLAGS, "--skip-build", "--filter", "AnalysisBench"],
        cwd=REPO, env=environment, capture_output=True, text=True, check=True).stdout
    return {m[1]: float(m[2]) for m in re.finditer(r"bench (\w+) ([0-9.eE+-]+)", out)}


def peers(symbols, edges, positions, cutoff=10.0, bins=400, slow=1):
    """Seconds of each peer; MDAnalysis' distributions on every `slow`-th frame, scaled."""
    import freud
    import MDAnalysis
    from MDAnalysis.analysis.msd import EinsteinMSD
    from MDAnalysis.analysis.rdf import InterRDF

    symbols = np.array(symbols)
    kinds = sorted(set(symbols))
    universe = MDAnalysis.Universe.empty(len(symbols), trajectory=False)
    universe.add_TopologyAttr("name", list(symbols))
    universe.load_new(
        positions, order="fac", dt=0.01,
        dimensions=np.array([*edges, 90, 90, 90], np.float32))
    groups = {k: universe.select_atoms("name " + k) for k in kinds}
    result = {}

    start = time.perf_counter()
    for i, a in enumerate(kinds):
        for b in kinds[i:]:
            InterRDF(
                groups[a], groups[b], nbins=bins, range=(0, cutoff),
                exclusion_block=(1, 1) if a == b else None,
            ).run(step=slow)
    result["MDAnalysis InterRDF"] = (time.perf_counter() - start) * slow

    freud.parallel.set_num_threads(1)
    box = freud.box.Box(*edges)
    members = {k: np.flatnonzero(symbols == k) for k in kinds}
    start = time.perf_counter()
    for i, a in enumerate(kinds):
        for b in kinds[i:]:
            rdf = freud.density.RDF(bins=bins, r_max=cutoff)
            for f in range(0, len(positions), slow):
                rdf.compute(
                    (box, positions[f][members[a]]), query_points=positions[f][members[b]],
                    reset=False)
    result["freud RDF"] = (time.perf_counter() - start) * slow

    start = time.perf_counter()
    for k in kinds:
        EinsteinMSD(universe, select="name " + k, fft=True).run()
    result["MDAnalysis EinsteinMSD"] = time.perf_counter() - start
    return result


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("structure")
    parser.add_argument("--frames", type=int, default=1000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--slow", type=int, default=10)
    parser.add_argument("--only-apus", action="store_true")
    options = parser.parse_args()
    symbols, edges, sites = crystal(options.structure, (2, 2, 4))
    positions = trajectory(sites, options.frames)
    with tempfile.TemporaryDirectory() as folder:
        path = folder + "/trajectory"
        with open(path, "wb") as file:
            file.write(np.asarray(edges, np.float32).tobytes())
            file.write(positions.tobytes())
        pathlib.Path(path + ".symbols").write_text("\n".join(symbols))
        for _ in range(options.rounds):
            ours = apus(path, options.threads)
            print({k: round(v, 3) for k, v in ours.items()}, flush=True)
            if options.only_apus:
                continue
            theirs = peers(symbols, edges, positions, slow=options.slow)
            print({k: round(v, 3) for k, v in theirs.items()}, flush=True)
            for name, seconds in theirs.items():
                own = ours["msd" if "MSD" in name else "rdf"]
                print(f"  {name}: {seconds / own:.1f} times as long", flush=True)


main()
