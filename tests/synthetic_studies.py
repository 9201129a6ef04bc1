"""Studies made of formulas, for tests of what reads studies: every speed, scatter and way to fail is chosen here."""

import numpy as np

from benchkit.grid import generator
from optimbench.convergence.trajectory import Contender, Study, Trajectories, Tuning

NAMES = (
    "Adadelta", "Adafactor", "Adagrad", "Adam", "Adamax", "AdamW", "ASGD", "LBFGS", "Muon with AdamW", "NAdam", "RAdam",
    "RMSprop", "Rprop", "SGD", "SGD, momentum 0.9", "SGD, momentum 0.9, nesterov True", "SparseAdam", "mine:Optimizer",
)  # fmt: skip
STEPS = 120
FLOOR = 0.01
GRID = tuple(float(f"{lr:.3g}") for lr in np.geomspace(1e-4, 1.0, 9))


def trajectories(problem, name, lr, seeds, *, speed, diverging=0, floors=None, steps=STEPS, scale=1.0, iterates=False):
    """Losses that fall exponentially to the floor of their seed; seeds scatter alike for all contenders, some diverge."""
    seeds = tuple(seeds)
    rng = generator("synthetic", problem, name, lr)
    shared = generator("synthetic seeds", problem, len(seeds))
    start = shared.lognormal(-1.0, 0.3, (len(seeds), 1))
    floors = FLOOR * shared.normal(1.0, 0.04, len(seeds)) if floors is None else np.asarray(floors)
    at = np.arange(steps + 1)
    own = speed * rng.lognormal(0.0, 0.25, (len(seeds), 1))
    wiggle = np.exp(0.03 * rng.normal(size=(len(seeds), steps + 1)))
    losses = floors[:, None] + scale * start * np.exp(-own * at) * wiggle
    for seed in range(diverging):
        losses[-1 - seed, steps // 3 :] = np.nan
    a_step = 3 if name == "LBFGS" else 1
    evaluations = a_step * at + np.zeros((len(seeds), 1), dtype=int)
    path = np.exp(-own * at)[..., None] * np.stack([np.cos(0.2 * at), np.sin(0.2 * at)], axis=-1) * (1 + start[..., None])
    kept = path if iterates else None
    return Trajectories(
        problem,
        Contender(name, name),
        {"lr": lr},
        seeds,
        at,
        losses,
        evaluations,
        np.nan,
        "stack",
        kept,
        evaluation_seconds=1e-4 * (1 + len(name) / 10),
    )


def study(problem="parabola", protocol="tuned", names=NAMES, seeds=range(16), target=0.0125, **how):
    """A study of contenders with speeds of their own; under ``tuned`` with the grids that were tried."""
    speeds = {name: 0.02 * 1.35 ** (k % 12) for k, name in enumerate(names)}
    boost = {"same": 0.6, "default": 0.8, "tuned": 1.2}[protocol]
    entries, tunings = [], {}
    for k, name in enumerate(names):
        best = k % len(GRID)
        lr = {"same": 0.01, "default": 1e-3, "tuned": GRID[best]}[protocol]
        diverging = 3 if (k, protocol) in ((6, "default"), (13, "same")) else len(seeds) if (k, protocol) == (0, "same") else 0
        entries.append(trajectories(problem, name, lr, seeds, speed=boost * speeds[name], diverging=diverging, **how))
        if protocol == "tuned":
            finals = np.stack(
                [
                    trajectories(
                        problem,
                        name,
                        lr,
                        range(900, 908),
                        speed=speeds[name] * 0.6 ** abs(i - best),
                        diverging=8 * (i > best + 3),
                        **how,
                    ).final
                    for i, lr in enumerate(GRID)
                ]
            )
            tunings[name] = Tuning(tuple({"lr": lr} for lr in GRID), finals, best, finals.size)
    shared = generator("synthetic seeds", problem, len(tuple(seeds)))
    shared.lognormal(size=len(tuple(seeds)))
    floors = FLOOR * shared.normal(1.0, 0.04, len(tuple(seeds)))
    return Study(
        problem, problem.title(), protocol, tuple(entries), tunings, floors, target, "mean squared error (dimensionless)"
    )
