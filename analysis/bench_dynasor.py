"""CPU seconds of dynasor 2.5 on the cases of Tests/ScatteringTests/CorrelationRates.swift: 1152 atoms
(C4H2I2S) that swing about random places, 1000 frames of 2 fs, 500 lags.

    python3 analysis/bench_dynasor.py 2000 --step 10
    python3 analysis/bench_dynasor.py 100 --step 1 --incoherent
"""

import argparse
import os
import tempfile
import time

parser = argparse.ArgumentParser()
parser.add_argument("points", type=int)
parser.add_argument("--step", type=int, default=1, help="window_step")
parser.add_argument("--incoherent", action="store_true")
parser.add_argument("--threads", type=int, default=1)
args = parser.parse_args()
os.environ["NUMBA_NUM_THREADS"] = str(args.threads)

import numpy as np
from dynasor import Trajectory, compute_dynamic_structure_factors
from netCDF4 import Dataset

EDGES = np.array([29.889, 36.588, 21.016])
COUNTS = {"C": 512, "H": 256, "I": 256, "S": 128}
ATOMS = sum(COUNTS.values())


def write(path):
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
    b = 2 * np.pi / EDGES
    n = (8 / b).astype(int)
    grid = np.stack(np.meshgrid(*(np.arange(-m, m + 1) for m in n), indexing="ij"), -1)
    q = grid.reshape(-1, 3) * b
    q = q[np.linalg.norm(q, axis=1) <= 8]
    return q[np.random.default_rng(0).permutation(len(q))[:count]]


with tempfile.TemporaryDirectory() as folder:
    path = os.path.join(folder, "bench.nc")
    write(path)
    first, groups = 0, {}
    for symbol, count in COUNTS.items():
        groups[symbol] = np.arange(first, first + count)
        first += count
    q = lattice_points(args.points)

    def run(lags, step, **frames):
        trajectory = Trajectory(path, trajectory_format="nc", atomic_indices=groups, **frames)
        compute_dynamic_structure_factors(trajectory, q, dt=2.0, window_size=lags,
                                          window_step=step, calculate_incoherent=args.incoherent)

    run(4, 1, frame_stop=8)  # compiles
    cpu, wall = time.process_time(), time.time()
    run(500, args.step)
    print(f"dynasor, {args.points} q, window_step {args.step}, incoherent {args.incoherent}, "
          f"{args.threads} threads: {time.process_time() - cpu:.2f} s of CPU, "
          f"{time.time() - wall:.2f} s of wall")
