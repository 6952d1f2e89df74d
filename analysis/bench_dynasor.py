"""Seconds of dynasor 2.5 and of Apus on one trajectory, in turn: 1152 atoms (C4H2I2S) that swing about
random places, 1000 frames of 2 fs in AMBER NetCDF, 500 lags, lattice points up to 8 rad/Å. Reading is
included, compilation by numba is not.

    python3 analysis/bench_dynasor.py                      # the four cases, one thread, three rounds
    python3 analysis/bench_dynasor.py --cases coherent-10 --threads 1 2 --rounds 5

Apus runs in the test CorrelationRates (built with `make test` or `swift build --build-tests`), which does
what a command would do: opens the file, reads frames, adds them and takes the result.
"""

import argparse
import json
import os
import re
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
FLAGS = "-c release -Xcc -march=x86-64-v4 -Xcc -fno-math-errno"
LAG = 500

parser = argparse.ArgumentParser(description=__doc__,
                                 formatter_class=argparse.RawDescriptionHelpFormatter)
parser.add_argument("--cases", nargs="+", choices=CASES, default=list(CASES))
parser.add_argument("--threads", nargs="+", type=int, default=[1])
parser.add_argument("--rounds", type=int, default=3)
parser.add_argument("--only", choices=["apus", "dynasor"], help="one of the two programs")
parser.add_argument("--ours", default=f"swift test {FLAGS} --skip-build --filter CorrelationRates/file",
                    help="the command that runs Apus")
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


def run_dynasor(case):
    """One case in this process, whose environment has set the threads."""
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
        compute_dynamic_structure_factors(trajectory, q, dt=2.0, window_size=lags, window_step=step,
                                          calculate_incoherent=case["incoherent"])

    run(4, 1, frame_stop=8)  # compiles
    cpu, wall = time.process_time(), time.time()
    run(LAG, case["step"])
    print(f"seconds of CPU {time.process_time() - cpu}, of wall {time.time() - wall}")


def seconds(command, **environment):
    done = subprocess.run(command, env=os.environ | environment, capture_output=True, text=True)
    found = re.search(r"seconds of CPU ([\d.e+-]+), of wall ([\d.e+-]+)", done.stdout)
    if done.returncode or not found:
        sys.exit(f"{' '.join(command)} failed:\n{done.stdout[-2000:]}{done.stderr[-2000:]}")
    return float(found[1]), float(found[2])


if args.dynasor:
    with open(args.dynasor) as file:
        run_dynasor(json.load(file))
    sys.exit()

with tempfile.TemporaryDirectory() as folder:
    trajectory = os.path.join(folder, "bench.nc")
    write(trajectory)
    for name in args.cases:
        count, step, incoherent = CASES[name]
        path = os.path.join(folder, name + ".json")
        with open(path, "w") as file:
            json.dump({"trajectory": trajectory, "points": lattice_points(count), "step": step,
                       "lag": LAG, "frames": 1000, "incoherent": incoherent,
                       "labels": [s for s, n in COUNTS.items() for _ in range(n)]}, file)
        for threads in args.threads:
            programs = {
                "dynasor": lambda: seconds([sys.executable, __file__, "--dynasor", path],
                                           NUMBA_NUM_THREADS=str(threads),
                                           OMP_NUM_THREADS=str(threads)),
                "apus": lambda: seconds(args.ours.split(), APUS_CASE=path,
                                        APUS_THREADS=str(threads), SWIFT_BACKTRACE="enable=no"),
            }
            times = {p: [] for p in programs if args.only in (None, p)}
            for _ in range(args.rounds):
                for program in times:
                    times[program].append(programs[program]())
            print(f"{name}: {count} q, window_step {step}, threads {threads}")
            for program, rows in times.items():
                for n, kind in enumerate(("CPU", "wall")):
                    print(f"  {program:8} {kind:4} " + " ".join(f"{row[n]:7.2f}" for row in rows)
                          + f"  median {statistics.median(row[n] for row in rows):.2f} s")
            if len(times) == 2:
                for n, kind in enumerate(("CPU", "wall")):
                    ratios = [d[n] / a[n] for d, a in zip(times["dynasor"], times["apus"])]
                    print(f"  dynasor/apus {kind:4} " + " ".join(f"{r:.1f}" for r in ratios)
                          + f"  median {statistics.median(ratios):.1f}")
            sys.stdout.flush()
