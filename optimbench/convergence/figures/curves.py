"""Loss against steps, seconds and evaluations."""

from __future__ import annotations

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from numpy.typing import NDArray

from benchkit import figures
from optimbench.convergence.comparison import Comparison
from optimbench.convergence.figures import parts
from optimbench.convergence.figures.parts import COSTS, Drawing, Height
from optimbench.convergence.statistics import bands
from optimbench.convergence.trajectory import Array, Study, Trajectories

FAIRNESS = "Within a seed all optimizers have the same data, batches and initial weights."


def every_curve(study: Study, axis: str, compared: Comparison) -> Drawing:
    """One panel for each contender: median and bands over seeds against an axis of ``COSTS``, the other medians in grey."""
    entries = study.entries
    tall = parts.height(study)
    figure, panels = parts.small_multiples(len(entries), sharex=True, sharey=True)
    drawn = [_line(runs, axis, tall) for runs in entries]
    if axis == "seconds":  # logarithmic: the record before the first step has no place
        drawn = [(x[1:], y[1:]) for x, y in drawn]
    low, high = _extent([x for x, _ in drawn])
    for axes, runs, letters in zip(panels, entries, compared.letters, strict=True):
        kept = _kept(runs)[1 if axis == "seconds" else 0 :]
        parts.in_grey(axes, drawn)
        parts.draw_floor(axes, study, tall)
        found = bands(runs.losses[:, kept])
        parts.draw_bands(axes, parts.coordinates(runs, axis)[kept], found, tall)
        tall.set(axes)
        if axis == "seconds":
            axes.set_xscale("log")
            parts.logarithmic(axes, low, high, "x")
        axes.set_xlim(low, high)
        parts.title(axes, f"{runs.contender.label}  ({letters})", parts.rate(runs.setting))
    axes_of_legend = panels[0]
    axes_of_legend.plot([], [], color=parts.GREY, label="medians of the others")
    parts.legend_above(figure, axes_of_legend)
    how = " (number of evaluations times the time of one)" if axis == "seconds" else ""
    parts.axis_titles(figure, COSTS[axis] + how, tall.label)
    return Drawing(
        figure,
        parts.stem(study.problem, study.protocol, axis),
        f"{parts.name_of(study)}, {study.protocol}: {tall.label.partition(' (')[0]} against {COSTS[axis]}",
        f"{len(entries[0].seeds)} seeds, {parts.words_of(study.protocol)}. Line: median over the seeds; dark band: their "
        "middle half; light band: their middle 90 %; grey: medians of the other optimizers; dashed: floor (the least objective "
        f"that is known); dotted: target. A line ends where the budget of evaluations does. {FAIRNESS} Optimizers that share "
        "a letter are not distinguishable by their final objective (Wilcoxon's signed-rank test on shared seeds, 5 % after "
        "Holm's correction for all pairs).",
        f"{len(entries)} small panels, one for each optimizer, with bands over seeds; final medians: {parts.ranking(study)}.",
        table(study, axis),
    )


def overview(study: Study) -> Drawing:
    """All medians against steps in one panel, each named at its end; the best ones in colour."""
    tall = parts.height(study, medians=True)
    figure, (axes,) = figures.panels(size=(9.5, 5.8))
    parts.draw_floor(axes, study, tall)
    last = max(float(runs.steps[-1]) for runs in study.entries)
    labels = []
    for rank, runs in enumerate(parts.ordered(study)):
        x, y = _line(runs, "steps", tall)
        look = parts.look_of_rank(rank)
        axes.plot(x, y, **look)
        labels.append((runs.contender.label, float(y[-1]), look))
    tall.set(axes)
    axes.set(xlim=(0.0, last), xlabel=COSTS["steps"], ylabel=tall.label)
    figures.direct_labels(axes, labels, x=last, gap=0.044)
    parts.legend_above(figure, axes)
    parts.settle(figure)
    return Drawing(
        figure,
        parts.stem(study.problem, study.protocol, "overview"),
        f"{parts.name_of(study)}, {study.protocol}: medians of all optimizers",
        f"Median over {len(study.entries[0].seeds)} seeds, {parts.words_of(study.protocol)}; in colour the best "
        f"{len(parts.COLOURED)} by the final median, in grey the others. {FAIRNESS}",
        f"One line for each optimizer, named at its right end; final medians, the best first: {parts.ranking(study)}.",
        table(study, "steps"),
    )


def evaluations(study: Study) -> Drawing | None:
    """Steps beside evaluations, for a step may evaluate the objective many times; None where every step evaluates once."""
    several = [runs for runs in study.entries if _evaluations_a_step(runs) > 1.0]
    if not several:
        return None
    tall = parts.height(study)
    figure, panels = figures.panels(1, 2, size=(10.5, 4.8), sharey=True)
    others = [runs for runs in study.entries if runs not in several]
    last = max(float(runs.steps[-1]) for runs in study.entries)
    first = min(float(runs.steps[1]) for runs in study.entries)
    for axes, axis in zip(panels, ("steps", "evaluations"), strict=True):
        lines = [_line(runs, axis, tall) for runs in others]
        parts.in_grey(axes, [(x[1:], y[1:]) for x, y in lines])
        parts.draw_floor(axes, study, tall)
        for runs, look in zip(several, parts.COLOURED * len(several)):
            words = f"{runs.contender.label}, {_evaluations_a_step(runs):.1f} evaluations a step"
            _one(axes, runs, axis, tall, look["color"], words)
        axes.plot([], [], color=parts.GREY, label="medians of the others")
        axes.set(xlabel=COSTS[axis], xscale="log", xlim=(first, last))
        parts.logarithmic(axes, first, last, "x")
        tall.set(axes)
    panels[0].set_ylabel(tall.label)
    parts.legend_above(figure, panels[0], columns=4)
    names = ", ".join(f"{runs.contender.label} ({_evaluations_a_step(runs):.1f})" for runs in several)
    return Drawing(
        figure,
        parts.stem(study.problem, study.protocol, "evaluations"),
        f"{parts.name_of(study)}, {study.protocol}: steps are not evaluations",
        "Left: against steps; right: against evaluations of loss and gradient; the axes are equal and end where a step of one "
        f"evaluation ends. Evaluations a step where it is not one: {names}. Line: median over {len(study.entries[0].seeds)} "
        "seeds; bands: their middle half and middle 90 %.",
        f"Two panels, objective against steps and against evaluations, in colour {names}, the others grey.",
        table(study, "evaluations"),
    )


def table(study: Study, axis: str) -> pd.DataFrame:
    """The bands of a study against an axis, a row for each contender and recorded step."""
    frames = []
    for runs in study.entries:
        found = bands(runs.losses)
        columns = {"step": runs.steps} | ({axis: parts.coordinates(runs, axis)} if axis != "steps" else {})
        columns |= {"median": found.median, "p25": found.half[0], "p75": found.half[1]}
        columns |= {"p5": found.most[0], "p95": found.most[1]}
        frames.append(pd.DataFrame(columns).assign(optimizer=runs.contender.label))
    whole = pd.concat(frames, ignore_index=True)
    return whole[["optimizer", *(name for name in whole if name != "optimizer")]]


def _kept(runs: Trajectories) -> NDArray[np.int64]:
    """Which records are drawn."""
    return parts.thinned(len(runs.steps[parts.trained(runs)]))


def _one(axes: Axes, runs: Trajectories, axis: str, tall: Height, colour: str, label: str) -> None:
    kept = _kept(runs)[1:]
    x, found = parts.coordinates(runs, axis)[kept], bands(runs.losses[:, kept])
    for low, high, opacity in ((*found.most, 0.15), (*found.half, 0.3)):
        axes.fill_between(x, tall.of(low), tall.of(high), color=colour, alpha=opacity, linewidth=0, zorder=2.0)
    axes.plot(x, tall.of(found.median), color=colour, linestyle="-", label=label, zorder=3.0)


def _line(runs: Trajectories, axis: str, tall: Height) -> tuple[Array, Array]:
    kept = _kept(runs)
    return parts.coordinates(runs, axis)[kept], tall.of(bands(runs.losses[:, kept]).median)


def _extent(xs: list[Array]) -> tuple[float, float]:
    """The limits of the x axis; a logarithmic one begins at the first step."""
    return min(float(x[0]) for x in xs), max(float(x[-1]) for x in xs)


def _evaluations_a_step(runs: Trajectories) -> float:
    return float(np.median(runs.evaluations[:, -1])) / max(parts.steps_made(runs), 1.0)
