"""Are the ensembles right?  Reads the series written by `swift test --filter ValidationSeries` with
APUS_VALIDATE=1 and prints, in standard errors: mean and mean square deviation of the kinetic energy
against its Gamma distribution (3N-3 degrees of freedom), the two-temperature or two-pressure test (Merz
and Shirts, PLoS ONE 13, e0202764), the mean pressure against its target, and the mean edges against each
other. Each entry is the worst of its runs and components; with some 250 numbers judged at once, one
beyond 3.5 comes by chance in one table of nine. Such a one is marked and makes the exit status 1.

Standard errors are those of 10, 20, 40 and 80 blocks, the largest of them: the energy of a crystal
passes from mode to mode slowly, and a statistical inefficiency from the first zero of the
autocorrelation misses that. For the same reason the two-state test stands twice: `slope` is the
maximum-likelihood slope with an error by jackknife over blocks, `pv` the verdict of physical_validation,
which takes samples for independent that are not, is shown and does not decide.

usage: ensembles.py [FOLDER]   (default .build/validate)
"""
import contextlib, glob, io, os, re, sys
import numpy as np
import physical_validation as pv


def read(path):
    with open(path) as f:
        head = dict(w.split("=") for w in f.readline()[1:].split())
        names = f.readline().strip().split(",")
        data = np.loadtxt(f, delimiter=",")
    return head, dict(zip(names, data.T))


def simulation(head, x):
    n = int(head["atoms"])
    pressure = None if head["pressure_GPa"] == "none" else float(head["pressure_GPa"])
    d = pv.data.SimulationData()
    d.units = pv.data.UnitData(
        kb=8.617333262e-5, energy_str="eV", energy_conversion=96.48533212, length_str="A",
        length_conversion=0.1, volume_str="A3", volume_conversion=1e-3, temperature_str="K",
        temperature_conversion=1.0, pressure_str="GPa", pressure_conversion=1e4, time_str="fs",
        time_conversion=1e-3)
    d.system = pv.data.SystemData(
        natoms=n, nconstraints=0, ndof_reduction_tra=3, ndof_reduction_rot=0)
    d.ensemble = pv.data.EnsembleData(
        ensemble="NVT" if pressure is None else "NPT", natoms=n,
        temperature=float(head["temperature_K"]), pressure=pressure,
        volume=float(x["volume_A3"][0]) if pressure is None else None)
    k, u = x["kinetic_eV"], x["potential_eV"]
    d.observables = pv.data.ObservableData(
        kinetic_energy=k, potential_energy=u, total_energy=k + u, volume=x["volume_A3"])
    d.dt = float(head["timestep_fs"])
    return d


def quiet(f, *a, **k):
    with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
        return f(*a, **k)


def mean_error(x):
    errors = []
    for blocks in (10, 20, 40, 80):
        b = x[: len(x) // blocks * blocks].reshape(blocks, -1).mean(1)
        errors.append(b.std(ddof=1) / np.sqrt(blocks))
    return x.mean(), max(errors)


def sigmas(x, expected=0.0):
    mean, error = mean_error(x)
    return (mean - expected) / error


def likely_slope(a, b):
    """Slope of log p_b(x)/p_a(x) by maximum likelihood (logistic regression), by Newton's method."""
    x, y = np.concatenate([a, b]), np.repeat([0.0, 1.0], [len(a), len(b)])
    x = x - x.mean()
    design = np.column_stack([np.ones_like(x), x])
    w = np.zeros(2)
    for _ in range(50):
        p = 1 / (1 + np.exp(-design @ w))
        change = np.linalg.solve((design * (p * (1 - p))[:, None]).T @ design, design.T @ (y - p))
        w += change
        if np.abs(change / np.maximum(np.abs(w), 1e-300)).max() < 1e-10:
            break
    return w[1]


def two_states(runs):
    """Deviation of the slope from its exact value in standard errors."""
    (head_a, a), (head_b, b) = runs
    kt = [8.617333262e-5 * float(h["temperature_K"]) for h in (head_a, head_b)]
    if head_a["pressure_GPa"] == "none":
        x, exact = [a["potential_eV"], b["potential_eV"]], 1 / kt[0] - 1 / kt[1]
    else:
        x = [a["volume_A3"], b["volume_A3"]]
        exact = -(float(head_b["pressure_GPa"]) - float(head_a["pressure_GPa"])) / 160.2176634 / kt[0]
    slope, errors = likely_slope(*x), []
    for blocks in (10, 20, 40):
        parts = [s[: len(s) // blocks * blocks].reshape(blocks, -1) for s in x]
        left = np.array([likely_slope(*(np.delete(p, k, 0).ravel() for p in parts)) for k in range(blocks)])
        errors.append(np.sqrt((blocks - 1) / blocks * ((left - left.mean()) ** 2).sum()))
    return (slope - exact) / max(errors)


def main():
    folder = sys.argv[1] if len(sys.argv) > 1 else ".build/validate"
    groups = {}
    for path in sorted(glob.glob(os.path.join(folder, "*.csv"))):
        groups.setdefault(re.sub(r"_[TP]\d+\.csv$", "", os.path.basename(path)), []).append(path)
    if not groups:
        sys.exit(f"no series in {folder}; write them with APUS_VALIDATE=1 swift test --filter ValidationSeries")
    worst = 0.0
    print(f"{'':42s} {'KE mean':>8s} {'width':>7s} {'slope':>7s} {'pv':>7s} {'P':>7s} {'edges':>7s}   (sigma)")
    for name, paths in groups.items():
        runs = [read(p) for p in paths]
        sims = [simulation(*r) for r in runs]
        scores = []
        kinetic, spread = [], []
        for head, x in runs:
            freedoms = 3 * int(head["atoms"]) - 3
            kt = 8.617333262e-5 * float(head["temperature_K"])
            deviation = x["kinetic_eV"] - freedoms / 2 * kt
            kinetic.append(sigmas(deviation))
            spread.append(sigmas(deviation**2, freedoms / 2 * kt**2))
        scores.append(max(kinetic, key=abs))
        scores.append(max(spread, key=abs))
        # verbosity 0 would still print; the bootstrap seed makes the table repeatable.
        quantiles = (
            quiet(pv.ensemble.check, *sims, total_energy=False, bootstrap_seed=1)
            if len(sims) == 2 else [np.nan])
        verdict = max(quantiles, key=abs)
        scores.append(two_states(runs) if len(runs) == 2 else np.nan)
        pressure, edges = [], []
        for head, x in runs:
            if head["pressure_GPa"] == "none":
                continue
            kt_v = 8.617333262e-5 * float(head["temperature_K"]) * 160.2176634 * (1 / x["volume_A3"])
            if "isotropic" in name:
                series = [(x["pxx_GPa"] + x["pyy_GPa"] + x["pzz_GPa"]) / 3]
            else:
                # In the frame of the cell (a along x, b in xy) the weight h_yy^-1 h_zz^-2 of the
                # freely rotating cell gives <P - P0> = kT <1/V> (-2, 0, 2), exactly.
                shift = (-2, 0, 2) if "triclinic" in name else (0, 0, 0)
                series = [
                    x[c] - k * kt_v for c, k in zip(("pxx_GPa", "pyy_GPa", "pzz_GPa"), shift)]
            for s in series:
                pressure.append(sigmas(s, float(head["pressure_GPa"])))
            if "isotropic" not in name:
                for a, b in (("a_A", "b_A"), ("b_A", "c_A"), ("a_A", "c_A")):
                    edges.append(sigmas(x[a] - x[b]))
        scores.append(max(pressure, key=abs) if pressure else np.nan)
        scores.append(max(edges, key=abs) if edges else np.nan)
        finite = [abs(s) for s in scores if np.isfinite(s)]
        worst = max([worst] + finite)
        mark = "  <--" if max(finite) > 3.5 else ""
        shown = scores[:3] + [verdict] + scores[3:]
        print(f"{name:42s} " + " ".join(f"{s:7.2f}" for s in shown) + mark, flush=True)
    print(f"largest deviation {worst:.2f} sigma")
    sys.exit(1 if worst > 3.5 else 0)


if __name__ == "__main__":
    main()
