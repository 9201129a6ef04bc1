"""The null experiment: how often does a comparison cry wolf, and how often does it miss?

An operation is compared with itself and with itself plus 5 % of the same work, many times each, by our pairs and by the ways
of common harnesses: one after the other with the medians compared, Welch's t-test, the Mann-Whitney test. The figure belongs to
the machine that it was made on; the documentation shows that of one, and ``python -m benchkit.null_experiment`` makes yours.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from rich.console import Console
from rich.progress import track
from rich.table import Table

from benchkit import figures
from benchkit.grid import generator
from benchkit.pairs import AMBIGUOUS, SAME, SLOWER, Paired, compare
from benchkit.request import UsageError
from benchkit.sampling import Clock, Run, clock, sample
from benchkit.self_test import PARTS, addition, repeated

RELATIVE = 0.025  # by how much one median may be above another before a naive harness speaks up
SIGNIFICANT = 0.01


@dataclass
class Trials:
    """What the trials of one question said: our verdicts and ratios, and what the other ways would have said."""

    ours: list[Paired] = field(default_factory=list)
    in_turn: list[float] = field(default_factory=list)  # ratio of medians, one operation timed after the other
    welch: list[float] = field(default_factory=list)  # p-values on the same samples
    ranks: list[float] = field(default_factory=list)

    def share(self, *verdicts: str) -> float:
        """The share of our verdicts that are among these."""
        return sum(one.verdict in verdicts for one in self.ours) / len(self.ours)


def trial(trials: Trials, first: Run, second: Run, clock: Clock, rng: np.random.Generator, budget_s: float) -> None:
    """Compare two operations once in each way, within the same time."""
    from scipy.stats import mannwhitneyu, ttest_ind

    trials.ours.append(compare(first, second, clock, rng, budget_s))
    one, other = (sample(run, clock, budget_s / 4.0, precision=0.0) for run in (first, second))
    trials.in_turn.append(other.median_s / one.median_s)
    trials.welch.append(float(ttest_ind(one.wall_s, other.wall_s, equal_var=False).pvalue))
    trials.ranks.append(float(mannwhitneyu(one.wall_s, other.wall_s).pvalue))


def experiment(count: int, budget_s: float, seed: int = 0) -> dict[str, Trials]:
    """So many trials of the two questions on the processor: ``same`` and ``more``."""
    work, ticker = addition("cpu"), clock("cpu")
    base, again, longer = (repeated(work, parts) for parts in (PARTS, PARTS, PARTS + 1))
    rng = generator("null experiment", seed)
    found = {"same": Trials(), "more": Trials()}
    for _ in track(range(count), "trials", console=Console(stderr=True), transient=True):
        trial(found["same"], base, again, ticker, rng, budget_s)
        trial(found["more"], base, longer, ticker, rng, budget_s)
    return found


def table(found: dict[str, Trials]) -> Table:
    """How often each way was wrong, as shares of the trials."""
    same, more = found["same"], found["more"]
    ways: dict[str, tuple[float, float]] = {
        "pairs in random order": (1.0 - same.share(SAME, AMBIGUOUS), more.share(SLOWER)),
        "one after the other, medians 2.5 % apart": (
            float(np.mean(np.abs(np.log(same.in_turn)) > np.log1p(RELATIVE))),
            float(np.mean(np.log(more.in_turn) > np.log1p(RELATIVE))),
        ),
        "one after the other, Welch's t-test": (
            float(np.mean(np.array(same.welch) < SIGNIFICANT)),
            float(np.mean((np.array(more.welch) < SIGNIFICANT) & (np.array(more.in_turn) > 1.0))),
        ),
        "one after the other, Mann-Whitney": (
            float(np.mean(np.array(same.ranks) < SIGNIFICANT)),
            float(np.mean((np.array(more.ranks) < SIGNIFICANT) & (np.array(more.in_turn) > 1.0))),
        ),
    }
    made = Table(title=f"{len(same.ours)} trials of each question")
    for heading in ("way", "false alarms", "5 % found"):
        made.add_column(heading, justify="left" if heading == "way" else "right")
    for way, (alarms, hits) in ways.items():
        made.add_row(way, f"{100.0 * alarms:.0f} %", f"{100.0 * hits:.0f} %")
    return made


def draw(found: dict[str, Trials], folder: Path) -> dict[str, Any]:
    """The figure: how far the ratio of an operation to itself reads from one, by pairs and one after the other."""
    figure, (axes,) = figures.panels(size=(8.0, 4.5))
    same, more = found["same"], found["more"]
    named = {
        "itself, in pairs": [one.ratio for one in same.ours],
        "itself, one after the other": same.in_turn,
        "5 % more work, in pairs": [one.ratio for one in more.ours],
        "5 % more work, one after the other": more.in_turn,
    }
    for (name, ratios), look in zip(named.items(), figures.looks(), strict=False):
        ordered = np.sort(100.0 * (np.array(ratios) - 1.0))
        axes.plot(ordered, (np.arange(len(ordered)) + 0.5) / len(ordered), label=name, **look)
    axes.axvline(0.0, color="0.3", linewidth=0.8)
    axes.axvline(5.0, color="0.3", linewidth=0.8, linestyle="--")
    axes.set_xscale("symlog", linthresh=1.0)
    axes.set(xlabel="difference read (%)", ylabel="share of trials", ylim=(0.0, 1.0), title="The same operation, and 5 % more")
    axes.legend(loc="upper left")
    return figures.save(
        figure,
        folder,
        "null-experiment",
        title="The null experiment",
        caption=f"Distribution of the difference read in {len(same.ours)} trials. An operation beside itself should read 0, "
        "and with one part in twenty more of the same work 5 (dashed). In pairs of random order it does; one after the other "
        "the drift of the machine is read as a difference.",
        alt="Cumulative distributions of the measured difference for four ways of comparing.",
        group="How we measure",
    )


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the experiment, print the table and write the figure."""
    parser = argparse.ArgumentParser(prog="python -m benchkit.null_experiment", description=__doc__)
    parser.add_argument("--trials", type=int, default=100, help="trials of each question (default: 100)")
    parser.add_argument("--budget", type=float, default=2.0, help="seconds for one comparison at most (default: 2)")
    parser.add_argument("--reports", type=Path, default=Path("reports"), help="folder for the figure (default: reports)")
    options = parser.parse_args(arguments)
    if options.trials < 1 or not options.budget > 0.0:
        parser.error("--trials must be 1 or more, and --budget a number of seconds above 0")
    found = experiment(options.trials, options.budget)
    Console().print(table(found))
    try:
        record = draw(found, options.reports)
    except UsageError as error:
        parser.error(str(error))
    Console().print(f"{options.reports / record['file']}", highlight=False)


if __name__ == "__main__":
    main()
