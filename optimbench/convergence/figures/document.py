"""The document's own figures: its view of the convergence, with what the published one could not say, and data with fits."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd

from benchkit import figures
from optimbench.convergence.comparison import Comparison
from optimbench.convergence.figures import curves, parts
from optimbench.convergence.figures.parts import COSTS, Drawing, Height
from optimbench.convergence.statistics import comparable
from optimbench.convergence.trajectory import Array, Study

TOP = 0.2  # of the document's axis


def view(study: Study, compared: Comparison) -> Drawing:
    """The axis of the published figure twice: every curve from a start of its own, as there, and medians on shared starts."""
    tall = Height(study.objective, 0.0, 0.0, TOP, log=False)
    figure, panels = figures.panels(1, 2, size=(12.5, 5.2), sharey=True)
    last = max(float(runs.steps[-1]) for runs in study.entries)
    labels = []
    for axes in panels:
        parts.draw_floor(axes, study, tall)
    for rank, runs in enumerate(parts.ordered(study)):
        look = parts.look_of_rank(rank)
        own = runs.losses[study.entries.index(runs) % len(runs.seeds)]
        medians = np.median(comparable(runs.losses), axis=0)
        for axes, losses in zip(panels, (own, medians), strict=True):
            axes.plot(runs.steps, tall.of(comparable(losses)), **look)
        labels.append((runs.contender.label, float(tall.of(medians[-1:])[0]), look))
    for axes, words in zip(panels, ("one run each, from a start of its own", "median over seeds, shared starts"), strict=True):
        axes.set(title=words, xlabel=COSTS["steps"], xlim=(0.0, last), ylim=(0.0, TOP))
    panels[0].set_ylabel(study.objective)
    figures.direct_labels(panels[1], labels, x=last, gap=0.05)
    parts.legend_above(figure, panels[0])
    parts.settle(figure)
    return Drawing(
        figure,
        parts.stem(study.problem, study.protocol, "document"),
        f"{parts.name_of(study)}, {study.protocol}: the document's view, and what it could not show",
        text(study, compared),
        f"Two panels on a linear axis from 0 to {TOP:g}: single runs from different starts, and medians over shared starts; "
        f"final medians: {parts.ranking(study)}.",
        curves.table(study, "steps"),
    )


def text(study: Study, compared: Comparison) -> str:
    """What the figure shows and what the published one could not, in numbers of this study."""
    first = [float(runs.losses[k % len(runs.seeds), 0]) for k, runs in enumerate(study.entries)]
    apart, shared = mistaken(study, compared)
    told = (
        f" Of the pairs of optimizers that can be told apart, two single runs from starts of their own put {apart:.0%} in the "
        f"wrong order, two from one start {shared:.0%}."
        if compared.distinguished
        else ""
    )
    return (
        "In the figure published with the document every curve starts from its own initialisation, as at the left, where the "
        f"first losses lie between {min(first):.2g} and {max(first):.2g}: part of what looks like a faster optimizer is a "
        f"luckier start. At the right all optimizers share data and start in each of {len(study.entries[0].seeds)} seeds.{told}"
        f" Several published curves also fall well below 0.01, the variance of the noise; {_floors(study)}"
    )


def mistaken(study: Study, compared: Comparison) -> tuple[float, float]:
    """How often single runs order two contenders wrongly that can be told apart: with starts of their own, with a shared one.

    The mean over all such pairs and over all their seeds; a tie counts half.
    """
    finals = np.stack([comparable(runs.final) for runs in study.entries])
    apart, shared = [], []
    for i, j in zip(*np.nonzero(compared.better > 0)):
        signs = np.sign(finals[i][:, None] - finals[j][None, :])
        wrong = (signs + 1.0) / 2.0
        shared.append(float(np.diag(wrong).mean()))
        apart.append(float(wrong[~np.eye(len(wrong), dtype=bool)].mean()) if len(wrong) > 1 else np.nan)
    return (float(np.mean(apart)), float(np.mean(shared))) if apart else (np.nan, np.nan)


def _floors(study: Study) -> str:
    """How low the runs came, beside the floor of their own seed."""
    if not np.isfinite(study.floor).all():
        return "so the floor belongs into the figure."
    lowest = [comparable(runs.losses).min(axis=1) / study.floor[: len(runs.losses)] for runs in study.entries]
    least = min(float(ratios.min()) for ratios in lowest)
    return (
        "no fit of these data can do so for long. The noise that was drawn has a mean square (dashed: its median) between "
        f"{study.floor.min():.4f} and {study.floor.max():.4f}; of all runs here none came lower than {least:.3f} times that of "
        "its own seed, for a network also follows a little of the noise."
    )


@dataclass(frozen=True)
class Fits:
    """The data of one seed, (N,) each, the true curve, and what each contender has learnt, by label, both on ``grid`` (G,)."""

    seed: int
    x: Array
    y: Array
    grid: Array
    truth: Array
    learnt: Mapping[str, Array]


def fits(study: Study, data: Fits) -> Drawing:
    """The scatter of the data with the function that each contender ends at."""
    entries = [runs for runs in study.entries if runs.contender.label in data.learnt]
    figure, panels = parts.small_multiples(len(entries), sharex=True, sharey=True)
    low, high = np.quantile(data.y, (0.002, 0.998))
    room = 0.08 * (high - low)
    for axes, runs in zip(panels, entries, strict=True):
        axes.scatter(data.x, data.y, s=2.5, color="0.74", linewidths=0, rasterized=True, label="data")
        axes.plot(data.grid, data.truth, color="black", linewidth=1.0, linestyle="--", label="true curve")
        learnt = np.clip(data.learnt[runs.contender.label], low - 9 * room, high + 9 * room)
        axes.plot(data.grid, learnt, color=parts.WARNING, linestyle="-", label="learnt")
        axes.set(xlim=(data.grid[0], data.grid[-1]), ylim=(low - room, high + room))
        parts.title(axes, runs.contender.label, parts.rate(runs.setting))
    handles, words = panels[0].get_legend_handles_labels()
    figure.legend(handles, words, loc="outside upper center", ncols=3, frameon=False, markerscale=4)
    parts.axis_titles(figure, "x (dimensionless)", "y (dimensionless)")
    frames = [pd.DataFrame({"optimizer": label, "x": data.grid, "learnt": found}) for label, found in data.learnt.items()]
    return Drawing(
        figure,
        parts.stem(study.problem, study.protocol, "fits"),
        f"{parts.name_of(study)}, {study.protocol}: the data and what was learnt",
        f"The data of seed {data.seed} (grey), the true curve (dashed), and the function that each optimizer has learnt "
        f"after {int(entries[0].steps[-1])} steps, {parts.words_of(study.protocol)}, from the same initial weights.",
        "Scatter of the data, repeated for each optimizer with the learnt curve over it; the slowest end at a nearly flat "
        "line, the others near the true curve.",
        pd.concat(frames, ignore_index=True),
    )
