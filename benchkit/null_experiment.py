"""The null experiment: how often does a comparison cry wolf, and how often does it miss?

An operation is compared with itself and with itself plus 5 % of the same work, many times each, by our pairs and by the ways
of common harnesses: one after the other with the medians compared, Welch's t-test, the Mann-Whitney test. The figure belongs to
the machine that it was made on; the documentation shows that of one, and ``python -m benchkit.null_experiment`` makes yours.
"""

from __future__ import annotations

import argparse
import math
import time
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.ticker import FixedLocator, FuncFormatter
from rich.console import Console
from rich.progress import track
from rich.table import Table

from benchkit import figures
from benchkit.conditions import conditions
from benchkit.grid import generator
from benchkit.pairs import AMBIGUOUS, SAME, SLOWER, compare
from benchkit.request import Request, UsageError
from benchkit.results import Record, read
from benchkit.results import Run as Results
from benchkit.sampling import Clock, Run, clock, sample
from benchkit.self_test import PARTS, addition, repeated

RELATIVE = 0.025  # by how much one median may be above another before a naive harness speaks up
SIGNIFICANT = 0.01
TICKS = (-50, -20, -10, -5, -2, -1, -0.5, 0, 0.5, 1, 2, 5, 10, 20, 50)  # percent
ELEMENTS = 10**5  # of the operation, in as many parts as the known work has


def trial(first: Run, second: Run, clock: Clock, rng: np.random.Generator, budget_s: float) -> dict[str, Any]:
    """Compare two operations once in each way, within the same time: the fields of a record."""
    from scipy.stats import mannwhitneyu, ttest_ind

    begun = time.perf_counter()
    ours = compare(first, second, clock, rng, budget_s)
    taken = time.perf_counter() - begun
    one, other = (sample(run, clock, budget_s / 4.0, precision=0.0) for run in (first, second))
    return {
        **ours.described(),
        "seconds": taken,
        "in_turn": other.median_s / one.median_s,  # the ratio of medians, one operation timed after the other
        "welch": float(ttest_ind(one.wall_s, other.wall_s, equal_var=False).pvalue),  # p-values on the same samples
        "ranks": float(mannwhitneyu(one.wall_s, other.wall_s).pvalue),
    }


def experiment(request: Request, count: int, budget_s: float) -> Path:
    """So many trials of the two questions on the processor, ``same`` and ``more``, a record each; returns the results file.

    A trial that the file of an interrupted run holds is not made again.
    """
    work, ticker = addition("cpu", ELEMENTS // PARTS), clock("cpu")
    base, again, longer = (repeated(work, parts) for parts in (PARTS, PARTS, PARTS + 1))
    with Results.open(request) as run:
        for number in track(range(count), "trials", console=Console(stderr=True), transient=True):
            for question, other in (("same", again), ("more", longer)):
                name = f"{question}-{number}"
                if name not in run.done("trial"):
                    rng = generator("null experiment", name, request.seed)
                    run.write("trial", name, question=question, **trial(base, other, ticker, rng, budget_s), **conditions())
        run.end()
        return run.path


def questions(path: Path) -> tuple[list[Record], list[Record]]:
    """The trials of the two questions, from a results file."""
    trials = read(path).of("trial")
    return [one for one in trials if one["question"] == "same"], [one for one in trials if one["question"] == "more"]


def shares(same: Sequence[Mapping[str, Any]], more: Sequence[Mapping[str, Any]]) -> dict[str, tuple[float, float]]:
    """By way of comparing: the share of false alarms, and the share of trials that found the 5 %."""

    def alarm(test: str) -> float:
        return sum(one[test] < SIGNIFICANT for one in same) / len(same)

    def hit(test: str) -> float:
        return sum(one[test] < SIGNIFICANT and one["in_turn"] > 1.0 for one in more) / len(more)

    apart = math.log1p(RELATIVE)
    return {
        "pairs in random order": (
            sum(one["verdict"] not in (SAME, AMBIGUOUS) for one in same) / len(same),
            sum(one["verdict"] == SLOWER for one in more) / len(more),
        ),
        "one after the other, medians 2.5 % apart": (
            sum(abs(math.log(one["in_turn"])) > apart for one in same) / len(same),
            sum(math.log(one["in_turn"]) > apart for one in more) / len(more),
        ),
        "one after the other, Welch's t-test": (alarm("welch"), hit("welch")),
        "one after the other, Mann-Whitney": (alarm("ranks"), hit("ranks")),
    }


def table(same: Sequence[Record], more: Sequence[Record]) -> Table:
    """How often each way was wrong, as shares of the trials."""
    made = Table(title=f"{len(same)} trials of each question")
    for heading in ("way", "false alarms", "5 % found"):
        made.add_column(heading, justify="left" if heading == "way" else "right")
    for way, (alarms, hits) in shares(same, more).items():
        made.add_row(way, f"{100.0 * alarms:.0f} %", f"{100.0 * hits:.0f} %")
    return made


def draw(same: Sequence[Record], more: Sequence[Record], folder: Path, run: Results) -> Record:
    """The figure: how far the ratio of an operation to itself reads from one, by pairs and one after the other."""
    figure, (axes,) = figures.panels(size=(8.0, 4.5))
    named = {
        "itself, in pairs": [one["ratio"] for one in same],
        "itself, one after the other": [one["in_turn"] for one in same],
        "5 % more work, in pairs": [one["ratio"] for one in more],
        "5 % more work, one after the other": [one["in_turn"] for one in more],
    }
    for (name, ratios), look in zip(named.items(), figures.looks(), strict=False):
        ordered = np.sort(100.0 * (np.array(ratios) - 1.0))
        axes.plot(ordered, (np.arange(len(ordered)) + 0.5) / len(ordered), label=name, **look)
    axes.axvline(0.0, color="0.3", linewidth=0.8)
    axes.axvline(5.0, color="0.3", linewidth=0.8, linestyle="--")
    axes.set_xscale("symlog", linthresh=1.0)
    shown = axes.get_xlim()
    axes.xaxis.set_major_locator(FixedLocator([tick for tick in TICKS if shown[0] <= tick <= shown[1]]))
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    axes.set(xlabel="difference read (%)", ylabel="share of trials", ylim=(0.0, 1.0), title="The same operation, and 5 % more")
    axes.legend(loc="upper left")
    return figures.save(
        figure,
        folder,
        "null-experiment",
        title="The null experiment",
        run=None if run.done("figure") else run,
        caption=f"Distribution of the difference read in {len(same)} trials. An operation beside itself should read 0, "
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
    parser.add_argument("--resume", action="store_true", help="continue the results file of an interrupted run")
    options = parser.parse_args(arguments)
    if options.trials < 1 or not options.budget > 0.0:
        parser.error("--trials must be 1 or more, and --budget a number of seconds above 0")
    request = Request("benchkit", "null-experiment", reports=options.reports, resume=options.resume, extra=vars(options).copy())
    for name in ("reports", "resume"):
        del request.extra[name]
    try:
        same, more = questions(experiment(request, options.trials, options.budget))
        Console().print(table(same, more))
        with Results.open(replace(request, resume=True)) as run:
            record = draw(same, more, options.reports, run)
            run.end(shares=shares(same, more))
    except UsageError as error:
        parser.error(str(error))
    except KeyboardInterrupt:
        parser.exit(130, "\ninterrupted; the same command with --resume continues\n")
    Console().print(f"{options.reports / record['file']}", highlight=False)


if __name__ == "__main__":
    main()
