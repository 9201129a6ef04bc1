"""The paths of contenders over the contours of a problem of two variables."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.colors import LogNorm
from matplotlib.contour import ContourSet
from matplotlib.ticker import LogFormatterMathtext, LogLocator

from optimbench.convergence.figures import parts
from optimbench.convergence.figures.parts import Drawing
from optimbench.convergence.trajectory import Array, Study, Trajectories

PATHS = 6  # of the seeds, in a panel
POINTS = 400  # of a path, at most
LEVELS = 15  # of the contours


@dataclass(frozen=True)
class Landscape:
    """The objective over a part of the plane: ``values`` (Y, X) at ``x`` (X,) and ``y`` (Y,), and where it is least, (M, 2)."""

    x: Array
    y: Array
    values: Array
    minima: Array


def paths(study: Study, land: Landscape) -> Drawing | None:
    """A panel for each contender: the iterates of the first seeds over the contours; None where no iterates were kept."""
    entries = [runs for runs in study.entries if runs.iterates is not None]
    if not entries:
        return None
    figure, panels = parts.small_multiples(len(entries), sharex=True, sharey=True, size=(2.75, 2.5))
    shown = min(PATHS, len(entries[0].seeds))
    for axes, runs in zip(panels, entries, strict=True):
        shades = _contours(axes, land)
        outside = sum(_path(axes, runs, seed, land) for seed in range(shown))
        axes.set(xlim=(land.x[0], land.x[-1]), ylim=(land.y[0], land.y[-1]))
        axes.grid(False)
        left = f", {outside} left the picture" if outside else ""
        parts.title(axes, runs.contender.label, parts.rate(runs.setting) + left)
    for words, look in (
        ("path of a seed", {"color": parts.WARNING}),
        ("start", {"marker": "o", "color": "white", "markeredgecolor": "black", "linestyle": ""}),
        ("end", {"marker": "o", "color": "black", "linestyle": ""}),
        ("minimum", {"marker": "*", "color": "#F0E442", "markeredgecolor": "black", "markersize": 11, "linestyle": ""}),
    ):
        panels[0].plot([], [], label=words, **look)
    parts.legend_above(figure, panels[0])
    parts.axis_titles(figure, "x (dimensionless)", "y (dimensionless)")
    bar = figure.colorbar(shades, ax=panels, aspect=50, fraction=0.03, pad=0.015)
    bar.set_label(study.objective.replace(" (dim", ", above the least value (dim"))
    bar.ax.yaxis.set_major_locator(LogLocator(10.0, numticks=12))
    bar.ax.yaxis.set_major_formatter(LogFormatterMathtext())
    bar.ax.minorticks_off()
    frames = [
        pd.DataFrame(runs.iterates[k], columns=["x", "y"]).assign(optimizer=runs.contender.label, seed=seed, step=runs.steps)
        for runs in entries
        for k, seed in enumerate(runs.seeds[:shown])
        if runs.iterates is not None
    ]
    return Drawing(
        figure,
        parts.stem(study.problem, study.protocol, "plane"),
        f"{parts.name_of(study)}, {study.protocol}: paths over the contours",
        f"The iterates of the first {shown} seeds, {parts.words_of(study.protocol)}; all optimizers have the same starts. "
        "Contours at equal ratios of the height above the least value in the picture; dark is low. A path that leaves the "
        "picture is drawn up to its edge.",
        f"{len(entries)} small panels of paths from the same starts over contours; final medians: {parts.ranking(study)}.",
        pd.concat(frames, ignore_index=True)[["optimizer", "seed", "step", "x", "y"]],
    )


def _contours(axes: Axes, land: Landscape) -> ContourSet:
    """Filled contours of the height above the least value in the picture, at equal ratios."""
    heights = land.values - land.values.min()
    floor = float(np.quantile(heights, 0.002)) or float(heights.max()) * 1e-6
    levels = np.geomspace(floor, float(heights.max()) + floor, LEVELS)
    how_filled: dict[str, Any] = {"norm": LogNorm(levels[0], levels[-1]), "cmap": "Blues_r", "alpha": 0.75, "extend": "min"}
    filled = axes.contourf(land.x, land.y, np.maximum(heights, floor / 2), levels=levels, **how_filled)
    filled.set_rasterized(True)
    if len(land.minima):
        how: dict[str, Any] = {"color": "#F0E442", "markeredgecolor": "black", "markersize": 10, "linestyle": "", "zorder": 3.0}
        axes.plot(land.minima[:, 0], land.minima[:, 1], marker="*", **how)
    return filled


def _path(axes: Axes, runs: Trajectories, seed: int, land: Landscape) -> bool:
    """Draw the path of a seed; whether it left the picture or the numbers."""
    assert runs.iterates is not None
    points = runs.iterates[seed]
    kept = points[parts.thinned(len(points), POINTS)]
    inside = (points[:, 0] >= land.x[0]) & (points[:, 0] <= land.x[-1])
    inside &= (points[:, 1] >= land.y[0]) & (points[:, 1] <= land.y[-1])
    width, height = land.x[-1] - land.x[0], land.y[-1] - land.y[0]
    x = np.clip(kept[:, 0], land.x[0] - width, land.x[-1] + width)
    y = np.clip(kept[:, 1], land.y[0] - height, land.y[-1] + height)
    axes.plot(x, y, color=parts.WARNING, linewidth=1.0, linestyle="-", zorder=2.0)
    axes.plot(*points[0], marker="o", markersize=4.5, color="white", markeredgecolor="black", zorder=3.5)
    axes.plot(x[-1], y[-1], marker="o", markersize=3.5, color="black", zorder=3.6)
    return not bool(inside.all())
