"""Seconds of whole commands on one trajectory, `apus scatter` and a script on dynasor 2.5, in turn: 1152 atoms
(C4H2I2S) that swing about random places, 1000 frames of 2 fs in AMBER NetCDF, 500 lags, lattice points up to
8 rad/Å. Both start, read, compute and write their file; the compilation by numba is not counted.

    python3 analysis/bench_dynasor.py                      # the four cases, two threads, three rounds
    python3 analysis/bench_dynasor.py --cases coherent-10 --threads 1 2 --rounds 5
"""

import argparse
import json
import os
import pathlib
import resource
import statistics
import subprocess
import sys
import tempfile
import time

CASES = {
    "coherent-1": (2000, 1, False),
    "coherent-10": (2000, 10, False),
    "incoherent-1": (100, 1, True),
    "incoherent-10": (100, 10, True),
}
LAG = 500

parser = argparse.ArgumentParser(description=__doc__,
                                 formatter_class=argparse.RawDescriptionHelpFormatter)
parser.add_argument("--cases", nargs="+", choices=CASES, default=list(CASES))
parser.add_argument("--threads", nargs="+", type=int, default=[2])
parser.add_argument("--rounds", type=int, default=3)
parser.add_argument("--only", choices=["apus", "dynasor"], help="one of the two programs")
parser.add_argument("--apus", default=pathlib.Path(__file__).resolve().parents[1] / ".build/release/apus",
                    help="the program")
parser.add_argument("--dynasor", metavar="CASE", help=argparse.SUPPRESS)
args = parser.parse_args()

EDGES = (29.889, 36.588, 21.016)
COUNTS = {"C": 512, "H": 256, "I": 256, "S": 128}
ATOMS = sum(COUNTS.values())


def write(path):
    import numpy as np
    from netCDF4 import Dataset
    rng = np.random.default_rng(1)
    place, rate = rng.random((ATOMS, 3)) * EDGES, rng.random((ATOMS, 3))
    file = Dataset(path, "w", format="NETCDF3_64BIT_OFFSET")
    file.setncatts({"Conventions": "AMBER", "ConventionVersion": "1.0", "program": "bench",
                    "programVersion": "1"})
    for name, size in (("frame", None), ("spatial", 3), ("atom", ATOMS), ("cell_spatial", 3),
                       ("cell_angular", 3), ("label", 5)):
        file.createDimension(name, size)
    variables = {}
    for name, kind, dims, units in (
            ("time", "f4", ("frame",), "picosecond"),
            ("coordinates", "f4", ("frame", "atom", "spatial"), "angstrom"),
            ("cell_lengths", "f8", ("frame", "cell_spatial"), "angstrom"),
            ("cell_angles", "f8", ("frame", "cell_angular"), "degree")):
        variables[name] = file.createVariable(name, kind, dims)
        variables[name].units = units
    for t in range(1000):
        variables["time"][t] = 0.002 * t
        variables["coordinates"][t] = place + 0.2 * np.sin(t * rate)
        variables["cell_lengths"][t] = EDGES
        variables["cell_angles"][t] = (90, 90, 90)
    file.close()


def lattice_points(count):
    import numpy as np
    b = 2 * np.pi / np.array(EDGES)
    n = (8 / b).astype(int)
    grid = np.stack(np.meshgrid(*(np.arange(-m, m + 1) for m in n), indexing="ij"), -1)
    grid = grid.reshape(-1, 3)
    grid = grid[np.linalg.norm(grid * b, axis=1) <= 8]
    return grid[np.random.default_rng(0).permutation(len(grid))[:count]].tolist()


def topology(path):
    symbols = [s for s, n in COUNTS.items() for _ in range(n)]
    cell = "{} 0 0 0 {} 0 0 0 {}".format(*EDGES)
    with open(path, "w") as file:
        file.write(f'{ATOMS}\nLattice="{cell}" Properties=species:S:1:pos:R:3 pbc="T T T"\n')
        file.writelines(f"{s} 0 0 {0.01 * i}\n" for i, s in enumerate(symbols))


def deck(path, points, step, incoherent):
    with open(path, "w") as file:
        file.write(f"trajectory: {{timestep: 2 fs}}\nq: {{hkl: {points}}}\ncorrelation: {{maximum_lag: {LAG} frames, "
                   f"origin_stride: {step}, incoherent: {str(incoherent).lower()}, blocks: 1}}\n")


def run_dynasor(case):
    """One case in this process, whose environment has set the threads. Prints the seconds of compiling, which is
    done first on a few frames, and of computing."""
    import numpy as np
    from dynasor import Trajectory, compute_dynamic_structure_factors
    first, groups = 0, {}
    for symbol, count in COUNTS.items():
        groups[symbol] = np.arange(first, first + count)
        first += count
    q = np.array(case["points"]) * (2 * np.pi / np.array(EDGES))

    def run(lags, step, **frames):
        trajectory = Trajectory(case["trajectory"], trajectory_format="nc", atomic_indices=groups,
                                **frames)
        return compute_dynamic_structure_factors(trajectory, q, dt=2.0, window_size=lags, window_step=step,
                                                 calculate_incoherent=case["incoherent"])

    start = time.process_time(), time.time()
    run(4, 1, frame_stop=8)
    compiled = time.process_time(), time.time()
    sample = run(LAG, case["step"])
    computed = time.process_time(), time.time()
    sample.write_to_npz(case["output"])
    print(json.dumps([[b - a for a, b in zip(*pair)] for pair in ((start, compiled), (compiled, computed))]))


def seconds(command, **environment):
    """CPU and wall seconds of a command, and what it printed."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    start = time.time()
    done = subprocess.run(command, env=os.environ | environment, capture_output=True, text=True)
    wall = time.time() - start
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    if done.returncode:
        sys.exit(f"{' '.join(map(str, command))} failed:\n{done.stdout[-2000:]}{done.stderr[-2000:]}")
    return [after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime, wall], done.stdout


if args.dynasor:
    with open(args.dynasor) as file:
        run_dynasor(json.load(file))
    sys.exit()

with tempfile.TemporaryDirectory() as folder:
    trajectory, names, output = (os.path.join(folder, n) for n in ("bench.nc", "names.xyz", "output"))
    write(trajectory)
    topology(names)
    for name in args.cases:
        count, step, incoherent = CASES[name]
        points = lattice_points(count)
        case, plan = (os.path.join(folder, name + e) for e in (".json", ".yaml"))
        deck(plan, points, step, incoherent)
        with open(case, "w") as file:
            json.dump({"trajectory": trajectory, "points": points, "step": step, "incoherent": incoherent,
                       "output": output + ".npz"}, file)

        def dynasor(threads):
            whole, printed = seconds([sys.executable, __file__, "--dynasor", case],
                                     NUMBA_NUM_THREADS=str(threads), OMP_NUM_THREADS=str(threads))
            compiling, computing = json.loads(printed.splitlines()[-1])
            return [w - c for w, c in zip(whole, compiling)] + computing

        def apus(threads):
            pathlib.Path(output + ".nc").unlink(missing_ok=True)
            return seconds([args.apus, "scatter", trajectory, "--topology", names, "--config", plan,
                            "--output", output + ".nc", "--threads", str(threads), "--quiet"])[0]

        for threads in args.threads:
            programs = {p: f for p, f in (("dynasor", dynasor), ("apus", apus)) if args.only in (None, p)}
            rows = [{p: f(threads) for p, f in programs.items()} for _ in range(args.rounds)]
            print(f"{name}: {count} q, window_step {step}, threads {threads}")

            def show(what, values):
                values = list(values)
                print(f"  {what:34}" + " ".join(f"{v:7.2f}" for v in values)
                      + f"  median {statistics.median(values):.2f}")

            for n, kind in enumerate(("CPU", "wall")):
                if "dynasor" in programs:
                    show(f"dynasor, {kind}, s", (r["dynasor"][n] for r in rows))
                    show(f"dynasor, computing alone, {kind}, s", (r["dynasor"][2 + n] for r in rows))
                if "apus" in programs:
                    show(f"apus, {kind}, s", (r["apus"][n] for r in rows))
                if len(programs) == 2:
                    show(f"ratio, {kind}", (r["dynasor"][n] / r["apus"][n] for r in rows))
                    show(f"ratio to computing alone, {kind}", (r["dynasor"][2 + n] / r["apus"][n] for r in rows))
            sys.stdout.flush()
