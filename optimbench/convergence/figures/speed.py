"""How fast the engine trains beside the loop that people write by hand, as tables and as a figure."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pandas as pd

from benchkit.results import Record
from optimbench.convergence.figures import parts
from optimbench.convergence.figures.parts import Drawing
from optimbench.convergence.problem import PROBLEMS
from optimbench.convergence.tables import Table

COMMAND = "python -m optimbench.convergence.speed"
COLUMNS = ["problem", "optimizer", "path", "replicas", "runs_per_second", "plain_loop", "ratio"]
PLAIN = "plain"  # the loop by hand, among the rates of a record
LOOKS: tuple[dict[str, Any], ...] = ({"color": "#0072B2", "marker": "o"}, {"color": "#D55E00", "marker": "s"})


def numbers(records: Sequence[Record]) -> pd.DataFrame:
    """A row for each contender on a problem with each number of replicas; rates in runs for each CPU-second."""
    rows: list[dict[str, Any]] = []
    for record in records:
        rates = record["runs_per_second"]
        for count in sorted(int(name) for name in rates if name != PLAIN):
            row = {"problem": record["problem"], "optimizer": record["label"], "path": record["path"], "replicas": count}
            rate = rates[str(count)]
            rows.append({**row, "runs_per_second": rate, "plain_loop": rates[PLAIN], "ratio": rate / rates[PLAIN]})
    return pd.DataFrame(rows, columns=COLUMNS)


def tables(records: Sequence[Record]) -> list[Table]:
    """Engine and loop side by side, a table for each problem."""
    found = []
    for problem, mine in numbers(records).groupby("problem", sort=False):
        counts = sorted(mine["replicas"].unique())
        rows = []
        for label, of_one in mine.groupby("optimizer", sort=False):
            rates = dict(zip(of_one["replicas"], of_one["runs_per_second"]))
            cells = [f"{of_one['plain_loop'].iloc[0]:.1f}", *(f"{rates[n]:.1f}" if n in rates else "" for n in counts)]
            ratios = dict(zip(of_one["replicas"], of_one["ratio"]))
            rows.append((str(label), *cells, f"{ratios[1]:.2f}", f"{max(ratios.values()):.1f}", of_one["path"].iloc[0]))
        steps = next(record["steps"] for record in records if record["problem"] == problem)
        notes = (
            f"Training runs of {steps} evaluations for each CPU-second of one thread: the loop written by hand, and the engine "
            "with so many replicas at once; the fastest of the rounds, in which they take turns.",
            f"Ratios to the loop by hand: with one replica, and the best. Made by '{COMMAND}'.",
        )
        columns = ("optimizer", "loop by hand", *(f"S={n}" for n in counts), "S=1 / loop", "best / loop", "trained as")
        title = f"Runs per CPU-second, {problem}"
        found.append(Table(f"converge-speed-{problem}", title, notes, columns, tuple(rows), mine.reset_index(drop=True)))
    return found


def figure(records: Sequence[Record]) -> Drawing:
    """A panel for each contender: runs per CPU-second against the number of replicas, the loop by hand as a dashed line."""
    found = numbers(records)
    labels = list(found["optimizer"].unique())
    drawn, panels = parts.small_multiples(len(labels), sharex=True, sharey=True)
    for axes, label in zip(panels, labels, strict=True):
        best = []
        for look, (problem, mine) in zip(LOOKS, found[found["optimizer"] == label].groupby("problem", sort=False)):
            loop = mine["plain_loop"].iloc[0]
            axes.plot(
                mine["replicas"], mine["runs_per_second"], markersize=4.5, linestyle="-", label=f"engine, {problem}", **look
            )
            axes.axhline(loop, color=look["color"], linewidth=1.1, linestyle="--", label=f"loop by hand, {problem}", zorder=1.5)
            best.append(f"{mine['ratio'].max():.3g}")
        axes.set_xscale("log", base=2)
        axes.set_yscale("log")
        counts = sorted(found["replicas"].unique())
        axes.set_xticks(counts, list(map(str, counts)))
        axes.minorticks_off()
        parts.title(axes, label, " and ".join(f"{ratio}×" for ratio in best))
    low, high = found[["runs_per_second", "plain_loop"]].to_numpy().min(), found["runs_per_second"].max()
    parts.logarithmic(panels[0], low / 1.3, high * 1.3)
    panels[0].set_ylim(low / 1.3, high * 1.3)
    parts.axis_titles(drawn, "replicas trained at once, S", "training runs per CPU-second of one thread")
    parts.legend_above(drawn, panels[0], columns=2)
    problems = list(found["problem"].unique())
    what = "; ".join(f"{name}: {PROBLEMS[name].title}" for name in problems if PROBLEMS.knows(name))
    best_of = found.groupby(["problem", "optimizer"], sort=False)["ratio"].max()
    return Drawing(
        drawn,
        "converge-speed",
        "Training many runs at once, beside the loop written by hand",
        f"How many training runs of {records[0]['steps']} evaluations are done in a CPU-second, with S replicas in one tensor "
        "and one after another in a loop with a DataLoader; in each title the best ratio on "
        f"{' and on '.join(problems)}. {what}. Where the steps of the optimizer itself or the arithmetic take the time, more "
        f"replicas gain nothing. Made by '{COMMAND}'.",
        f"{len(labels)} small panels. Best ratio of the engine to the loop by hand: "
        + "; ".join(f"{problem}: " + ", ".join(f"{k} {v:.3g}" for k, v in best_of[problem].items()) for problem in problems)
        + ".",
        found,
    )
