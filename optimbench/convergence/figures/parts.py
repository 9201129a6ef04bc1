"""What the figures of the laboratory share: a drawing with its words and data, panels for contenders, axes of the objective."""

from __future__ import annotations

import math
import textwrap
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, LogLocator, NullLocator
from numpy.typing import NDArray

from benchkit import figures
from optimbench.convergence.statistics import Bands, bands, comparable
from optimbench.convergence.trajectory import Array, Study, Trajectories

PROTOCOLS: Mapping[str, dict[str, Any]] = {
    "same": {"color": "#0072B2", "marker": "o"},
    "default": {"color": "#E69F00", "marker": "s"},
    "tuned": {"color": "#009E73", "marker": "^"},
}
OTHER_PROTOCOL: dict[str, Any] = {"color": "#CC79A7", "marker": "D"}
STRONG, WARNING, GREY, INK = "#0072B2", "#D55E00", "0.80", "0.25"
# Okabe and Ito without the yellow; the later ones have wider gaps and lie on top, so that curves that coincide all show.
COLOURED: tuple[dict[str, Any], ...] = (
    {"color": "#0072B2", "linestyle": "-"},
    {"color": "#D55E00", "linestyle": (0, (9, 2))},
    {"color": "#009E73", "linestyle": (0, (6, 2))},
    {"color": "#CC79A7", "linestyle": (0, (6, 2, 1, 2))},
    {"color": "#E69F00", "linestyle": (0, (4, 4))},
    {"color": "#56B4E9", "linestyle": (0, (2, 2))},
    {"color": "#000000", "linestyle": (0, (1, 4))},
)
DRAWN_POINTS = 240  # of a line; more cannot be told apart in print
ROUNDING = 1e-6  # of the height of the start, that of float32: what lies less than that below the optimum is at it
DECADES = 16  # of a logarithmic axis at most: what lies lower is the rounding of zero
COSTS = {"steps": "training steps", "evaluations": "evaluations of loss and gradient", "seconds": "seconds of one run"}


@dataclass(frozen=True)
class Drawing:
    """A figure with its file name, its words and the numbers that it shows."""

    figure: Figure
    stem: str
    title: str
    caption: str
    alt: str
    data: pd.DataFrame


def look_of(protocol: str) -> dict[str, Any]:
    return dict(PROTOCOLS.get(protocol, OTHER_PROTOCOL))


def words_of(protocol: str) -> str:
    """What a protocol is, for captions."""
    known = {
        "same": "the same learning rate for all optimizers",
        "default": "the default learning rate of each class",
        "tuned": "learning rates tuned on other seeds than those shown",
    }
    return known.get(protocol, f"protocol {protocol}")


def rate(setting: Mapping[str, float]) -> str:
    """A setting in few characters: ``lr 0.01``, with the second hyperparameter where there is one."""
    return ", ".join(f"{name} {value:.3g}" for name, value in setting.items())


def ordered(study: Study) -> list[Trajectories]:
    """The contenders, the best median of the final objective first."""
    return sorted(study.entries, key=lambda runs: (float(np.median(comparable(runs.final))), runs.contender.label))


def coordinates(runs: Trajectories, axis: str) -> Array:
    """Where the records of a contender lie on an axis of ``COSTS``, (T,)."""
    if axis == "steps":
        return runs.steps.astype(float)
    if axis == "seconds":
        return runs.seconds
    return np.asarray(np.median(runs.evaluations, axis=0), dtype=float)


def look_of_rank(rank: int) -> dict[str, Any]:
    """The best contenders have colours, the last of them on top; the others are grey and lie below."""
    if rank < len(COLOURED):
        return {**COLOURED[rank], "zorder": 2.5 + rank / 100}
    return {"color": "0.6", "linestyle": "-", "linewidth": 1.0, "zorder": 2.0}


def name_rows(panels: Sequence[Axes], labels: Sequence[str], shade: str) -> None:
    """A row for each label in panels side by side, every second one on a grey stripe; the names stand at the first panel."""
    panels[0].set(yticks=range(len(labels)), yticklabels=list(map(broken, labels)), ylim=(len(labels) - 0.5, -0.5))
    for axes in panels:
        axes.grid(False, axis="y")
        for row in range(0, len(labels), 2):
            axes.axhspan(row - 0.5, row + 0.5, color=shade, linewidth=0, zorder=0.1)


def trained(runs: Trajectories) -> slice:
    """The records up to the end of training: the budget of evaluations may end before that of steps, then the rest stands."""
    ends = (runs.evaluations == runs.evaluations[:, -1:]).argmax(axis=1)
    return slice(0, int(ends.max()) + 1)


def steps_made(runs: Trajectories) -> float:
    """The number of steps until training ended, the median over the seeds."""
    return float(np.median(runs.steps[(runs.evaluations == runs.evaluations[:, -1:]).argmax(axis=1)]))


def small_multiples(
    count: int, *, columns: int = 4, size: tuple[float, float] = (2.75, 2.1), **shared: Any
) -> tuple[Figure, list[Axes]]:
    """A grid of ``count`` panels of ``size`` inches; those that lie lowest in their column have the labels of the x axis."""
    columns = min(columns, count)
    rows = -(-count // columns)
    width, height = max(size[0] * columns, 6.5), max(size[1] * rows + 0.75, 3.9)
    figure, panels = figures.panels(rows, columns, size=(width, height), **shared)
    for axes in panels[count:]:
        axes.remove()
    for axes in panels[max(0, count - columns) : count]:
        axes.tick_params(labelbottom=True)
    return figure, panels[:count]


@dataclass(frozen=True)
class Height:
    """How the objective of a study is drawn: what is taken off it, the limits of the axis, and whether it is logarithmic."""

    label: str
    offset: float
    low: float
    high: float
    log: bool

    def of(self, losses: Array) -> Array:
        """Losses as heights, kept a little beyond the axis where they lie far off it."""
        heights = losses - self.offset
        if self.log:
            return np.clip(heights, self.low / 10, self.high * 10)
        room = self.high - self.low
        return np.clip(heights, self.low - room, self.high + room)

    def set(self, axes: Axes) -> None:
        if self.log:
            axes.set_yscale("log")
            logarithmic(axes, self.low, self.high)
        axes.set_ylim(self.low, self.high)


def name_of(study: Study) -> str:
    """The name of the problem for titles; what it is stands in the heading."""
    return study.problem[:1].upper() + study.problem[1:]


def above_minimum(study: Study) -> Study:
    """The study with the known minimum of each seed's own data taken off its objective.

    Else a logarithmic axis would not show how far the contenders are from it, and the bands would show how much the minima
    of the seeds differ. Where they do, the target is no longer one number and goes.
    """
    if not study.optimum or not study.floor.any():
        return study
    entries = tuple(replace(runs, losses=runs.losses - study.floor[:, None]) for runs in study.entries)
    objective = study.objective.replace(" (", ", above its minimum (", 1)
    one = np.ptp(study.floor) == 0.0 and study.target is not None
    target = study.target - float(study.floor[0]) if one and study.target is not None else None
    return replace(study, entries=entries, floor=np.zeros_like(study.floor), target=target, objective=objective)


def height(study: Study, medians: bool = False) -> Height:
    """A logarithmic axis for positive objectives; of others the known optimum is taken off, where there is one.

    It reaches from the lowest of what is drawn, the bands or the medians alone, to the highest start.
    """
    found = [bands(runs.losses) for runs in study.entries]
    lows = [band.median if medians else band.most[0] for band in found]
    lowest = min(float(np.min(low)) for low in lows)
    starts = [float((band.median if medians else band.most[1])[0]) for band in found]
    highest = max([start for start in starts if np.isfinite(start)] or [1.0])
    floors = study.floor[np.isfinite(study.floor)]
    offset = float(floors.min()) if len(floors) and lowest <= 0.0 else 0.0
    label = study.objective if offset == 0.0 else f"{study.objective}, above the optimum"
    if lowest - offset < -ROUNDING * (highest - offset):
        room = 0.05 * (highest - lowest)
        return Height(label, offset, lowest - room, highest + room, log=False)
    positive = [float(np.min(low, where=low > offset, initial=np.inf)) - offset for low in lows]
    highest -= offset
    low = max(min(positive), highest * 10.0**-DECADES)
    if len(floors) and offset == 0.0 and floors.min() > 0.0:
        low = min(low, float(floors.min()))
    return Height(label, offset, low / 1.35, highest * 1.35, log=True)


STEPS = (1.0, 2.0, 5.0), (1.0, 1.5, 2.0, 3.0, 4.0, 5.0, 7.0), tuple(np.arange(10, 100, 5) / 10.0)  # of a decade, coarse to fine


def within(steps: Sequence[float], low: float, high: float) -> int:
    """How many numbers that are a step of a decade lie between two."""
    decades = range(math.floor(np.log10(low)), math.ceil(np.log10(high)) + 1)
    return sum(low <= step * 10.0**decade <= high for decade in decades for step in steps)


def logarithmic(axes: Axes, low: float, high: float, which: str = "y") -> None:
    """Ticks of a logarithmic axis: 1, 2, 5 where it spans few decades, or more where that gave a single number; powers of ten
    where it spans many."""
    axis = axes.yaxis if which == "y" else axes.xaxis
    decades = np.log10(high / low)
    if decades <= 2.5:
        narrow = which == "x" and decades > 1.6  # numbers side by side take more room
        steps = (1.0, 3.0) if narrow else next((some for some in STEPS if within(some, low, high) > 1), STEPS[-1])
        axis.set_major_locator(LogLocator(10.0, subs=steps))
        plain: Callable[[float, int], str] = lambda value, _: f"{value:g}"  # noqa: E731
        axis.set_major_formatter(FuncFormatter(plain))
    else:
        axis.set_major_locator(LogLocator(10.0, numticks=6))
    axis.set_minor_locator(NullLocator())  # a panel of many has no room for them, and drawing them takes most of the time


def thinned(count: int, points: int = DRAWN_POINTS) -> NDArray[np.int64]:
    """Which of ``count`` records are drawn: all, or evenly chosen ones with the first and the last."""
    return np.unique(np.linspace(0, count - 1, min(count, points)).round().astype(np.int64))


def in_grey(axes: Axes, lines: Sequence[tuple[Array, Array]]) -> None:
    """Many curves as a background; a picture inside the SVG, for there are as many as contenders in every panel."""
    segments = [np.column_stack([x, y]) for x, y in lines]
    axes.add_collection(LineCollection(segments, colors=GREY, linewidths=0.7, zorder=1.0, rasterized=True), autolim=False)


def draw_bands(axes: Axes, x: Array, found: Bands, tall: Height, colour: str = STRONG) -> None:
    """The middle 90 % and the middle half of the seeds, and the median over them."""
    for (low, high), opacity, words in ((found.most, 0.18, "middle 90 % of the seeds"), (found.half, 0.38, "middle half")):
        axes.fill_between(x, tall.of(low), tall.of(high), color=colour, alpha=opacity, linewidth=0, label=words, zorder=2.0)
    axes.plot(x, tall.of(found.median), color=colour, linestyle="-", linewidth=1.6, label="median", zorder=3.0)


def draw_floor(axes: Axes, study: Study, tall: Height) -> None:
    """The median floor of the seeds as a dashed line, the target as a dotted one, where they are known and on the axis."""
    floors = study.floor[np.isfinite(study.floor)]
    if len(floors) and tall.low <= (floor := float(np.median(floors)) - tall.offset):
        axes.axhline(floor, color=INK, linewidth=0.9, linestyle="--", label="floor", zorder=1.5)
    if study.target is not None and tall.low <= study.target - tall.offset <= tall.high:
        axes.axhline(study.target - tall.offset, color=WARNING, linewidth=0.9, linestyle=":", label="target", zorder=1.5)


def settle(figure: Figure) -> None:
    """Lay a figure out before it is saved: names beside the axes move them, and where they then are shows on a second look."""
    with figures.style():
        figure.draw_without_rendering()


def axis_titles(figure: Figure, x: str, y: str) -> None:
    """One title for the x axes of all panels and one for the y axes."""
    figure.supxlabel(x, fontsize=11)
    figure.supylabel(textwrap.fill(y, int(9 * figure.get_figheight())), fontsize=11, multialignment="center")


def legend_above(figure: Figure, *panels: Axes, columns: int = 6) -> None:
    """One legend for all panels, above them; each label once."""
    columns = min(columns, int(figure.get_figwidth() / 1.75))  # inches that an entry takes
    named = {word: handle for axes in panels for handle, word in zip(*axes.get_legend_handles_labels())}
    figure.legend(list(named.values()), list(named), loc="outside upper center", ncols=columns, frameon=False)


def broken(label: str, width: int = 19) -> str:
    """A long name on several lines, for the margin of a panel."""
    return textwrap.fill(label, width, break_long_words=False)


def title(axes: Axes, label: str, below: str = "") -> None:
    """The title of a small panel: the name, smaller where it is long, and what is set for it."""
    axes.set_title(f"{label}\n{below}" if below else label, fontsize=9.5 if len(label) < 30 else 8.0)


def stem(*words: str) -> str:
    """A file name from the words that tell a figure from the others."""
    kept = ("".join(letter if letter.isalnum() else "-" for letter in word.lower()) for word in words)
    return "converge-" + "-".join(word.strip("-") for word in kept)


def ranking(study: Study) -> str:
    """The final medians in words, the best first, for those who do not see the picture."""
    return ", ".join(f"{runs.contender.label} {float(bands(runs.losses).median[-1]):.3g}" for runs in ordered(study))
