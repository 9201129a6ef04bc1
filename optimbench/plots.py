"""``plot``: the figures of the convergence experiment, drawn from its results file alone."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FixedLocator, FuncFormatter, NullFormatter
from numpy.typing import NDArray
from rich.console import Console

from benchkit import figures
from benchkit.request import RIGHT, Request, UsageError
from benchkit.results import Run
from optimbench.convergence.problems.parabola import Parabola
from optimbench.convergence.study import studies
from reference import OPTIMIZERS

Array = NDArray[np.float64]
GROUP = "Convergence"
LOSS = "mean squared error (dimensionless)"
STEP = "training step"
BANDS = ((5, 95, 0.18), (25, 75, 0.35))  # percentiles and opacity: the middle 90 % and the middle 50 % of the seeds
OVERFLOWED = 1e30  # stands for a loss that is no longer a finite number, beyond any axis here


@dataclass(frozen=True)
class Family:
    """The curves of one label over its seeds.

    ``losses`` has shape (seeds, steps), ``evaluations`` counts those of the loss in a step; the fit is that of the first seed.
    """

    label: str
    lr: float
    losses: Array
    evaluations: float
    look: dict[str, Any]
    fit_x: Array
    fit_y: Array

    @property
    def steps(self) -> Array:
        return np.arange(self.losses.shape[1], dtype=float)

    def percentile(self, q: float) -> Array:
        return np.asarray(np.percentile(self.losses, q, axis=0))

    @property
    def median(self) -> Array:
        return self.percentile(50)


@dataclass(frozen=True)
class Experiment:
    """What the figures are drawn from."""

    families: list[Family]
    seeds: int
    floor: float
    fitted_floor: float
    x: Array
    y: Array
    first_floor: float

    @property
    def highest_start(self) -> float:
        return max(float(family.losses[:, 0].max()) for family in self.families)

    @property
    def median_start(self) -> float:
        return float(self.families[0].median[0])


def plot(request: Request) -> int:
    """Draw the four figures of the experiment; UsageError where ``converge`` has not been run."""
    experiment = load(request)
    with Run.open(request) as run:
        for draw in (overview, every_curve, fits, linear_view):
            figure, texts = draw(experiment)
            record = figures.save(figure, request.reports, group=GROUP, run=run, **texts)
            Console().print(f"{record['file']}: {record['title']}", soft_wrap=True)
        run.end()
    return RIGHT


def load(request: Request) -> Experiment:
    """The experiment from ``optimbench-converge.jsonl`` in the reports folder."""
    path = request.reports / "optimbench-converge.jsonl"
    if not path.exists():
        raise UsageError(f"there is no {path} to draw from; run 'optimbench converge --reports {request.reports}' first")
    return of_studies(path)


def of_studies(path: Path) -> Experiment:
    """The document's problem at the shared learning rate, as these figures show it."""
    found = [study for study in studies(path) if (study.problem, study.protocol) == ("parabola", "same")]
    if not found:
        raise UsageError(f"{path} holds no run of the document's problem at a shared rate; run 'optimbench converge'")
    study, problem = found[0], Parabola("parabola")
    first = study.entries[0].seeds[0]
    x, y = problem.shared()["x"], problem.data(first)["y"]
    grid = np.linspace(-1.0, 1.0, 101)
    families = []
    shown = [entry for entry in study.entries if OPTIMIZERS[entry.contender.name].document]
    for entry, look in zip(shown, figures.looks() * 2):
        losses = np.minimum(np.nan_to_num(entry.losses, nan=OVERFLOWED, posinf=OVERFLOWED), OVERFLOWED)
        assert entry.parameters is not None
        w1, b1, w2, b2 = np.split(entry.parameters[0], [20, 40, 60])
        fit = np.maximum(grid[:, None] * w1 + b1, 0.0) @ w2 + b2
        evaluations = float(entry.evaluations[:, -1].mean() / max(1, len(np.unique(entry.losses[0])) - 1))
        families.append(Family(entry.contender.label, entry.setting["lr"], losses, max(1.0, evaluations), look, grid, fit))
    floor = float(np.median(study.floor))
    return Experiment(families, len(study.floor), floor, floor * (1 - 61 / 1000), x, y, float(study.floor[0]))


Drawing = tuple[Figure, dict[str, str]]

_FLOOR_TEXT = (
    "The noise floor is the mean square of the noise that was drawn, the loss of the true curve x² itself (0.01 is its "
    "expected value). A fit with 61 free parameters also follows some of the noise, so the best fit may lie up to about 6 % "
    "lower: that is the lower edge of the grey band. No curve can stay far below."
)


def overview(experiment: Experiment) -> Drawing:
    """All medians in one panel on a logarithmic axis, each named at its end."""
    figure, (axes,) = figures.panels(size=(10.0, 6.0))
    _floors(axes, experiment)
    _medians(axes, experiment.families)
    _log_axis(axes, experiment, experiment.median_start)
    last = experiment.families[0].steps[-1]
    axes.set(title="Loss of every optimizer, median over the seeds", xlabel=STEP, ylabel=LOSS, xlim=(0, last))
    _labels(axes, experiment, last)
    return figure, {
        "stem": "converge-overview",
        "title": "Convergence of all optimizers, logarithmic axis",
        "caption": f"Median over {experiment.seeds} seeds of the loss before each step; learning rates: next figure. "
        "Within a seed all curves have the same data and the same initial weights, so they start from one point; in the "
        "figure published with the document they start from different initialisations, and part of what looks like a faster "
        f"optimizer is a luckier start. {_FLOOR_TEXT}",
        "alt": "Loss against training step on a logarithmic axis, one line per optimizer, all starting from the same loss: "
        + _ranking(experiment),
    }


def every_curve(experiment: Experiment) -> Drawing:
    """One panel for each optimizer: median and bands over the seeds, the other medians in grey behind."""
    families = experiment.families
    figure, panels = _small_multiples(len(families), sharex=True, sharey=True)
    for axes, family in zip(panels, families):
        colour = family.look["color"]
        for other in families:
            axes.plot(other.steps, other.median, color="0.82", linewidth=0.8, linestyle="-", label="other optimizers")
        for low, high, opacity in BANDS:
            band = family.percentile(low), family.percentile(high)
            axes.fill_between(family.steps, *band, color=colour, alpha=opacity, linewidth=0, label=f"middle {high - low} %")
        axes.plot(family.steps, family.median, color=colour, linestyle="-", label="median of the seeds")
        axes.axhline(experiment.floor, color="0.3", linewidth=0.8, linestyle="--", label="noise floor")
        _log_axis(axes, experiment, experiment.highest_start)
        axes.set(title=f"{family.label}, lr {family.lr:g}", xlim=(0, family.steps[-1]))
    handles, words = panels[0].get_legend_handles_labels()
    named = dict(zip(words, handles))
    figure.legend(list(named.values()), list(named), loc="outside upper right", ncols=5)
    figure.supxlabel(STEP)
    figure.supylabel(LOSS)
    return figure, {
        "stem": "converge-curves",
        "title": "Convergence of each optimizer over the seeds",
        "caption": f"Line: median over {experiment.seeds} seeds; dark band: the middle half of the seeds; light band: the "
        "middle 90 %; grey: the medians of the other optimizers; dashed: the noise floor. The width of a band is what the "
        "choice of data and initial weights alone can do. The optimizer for sparse gradients gets the same gradients in "
        f"sparse form and leaves alone what has gradient zero. {_evaluations(families)}",
        "alt": f"{len(families)} small panels, one per optimizer: loss against training step on a logarithmic axis, median and "
        "bands.",
    }


def _evaluations(families: Sequence[Family]) -> str:
    """Which optimizers evaluate the loss more than once a step, in words."""
    several = [f"{family.label} ({family.evaluations:.1f})" for family in families if family.evaluations > 1.0]
    return f"Evaluations of the loss in a step, where it is not one: {', '.join(several)}." if several else ""


def fits(experiment: Experiment) -> Drawing:
    """The scatter of the data with the function that each optimizer ends at."""
    families = experiment.families
    figure, panels = _small_multiples(len(families), sharex=True, sharey=True)
    grid = np.linspace(-1.0, 1.0, 201)
    for axes, family in zip(panels, families):
        axes.scatter(experiment.x, experiment.y, s=3, color="0.72", linewidths=0, rasterized=True)
        axes.plot(grid, grid**2, color="black", linewidth=1.0, linestyle="--")
        axes.plot(family.fit_x, family.fit_y, color="#D55E00", linestyle="-")
        axes.set(title=f"{family.label}, lr {family.lr:g}", xlim=(-1, 1), ylim=(-0.35, 1.4))
    names = ["data", "x²", "fit"]
    handles = [panels[0].collections[0], *panels[0].lines[:2]]
    figure.legend(handles, names, loc="outside upper right", ncols=3, markerscale=3)
    figure.supxlabel("x (dimensionless)")
    figure.supylabel("y (dimensionless)")
    steps = len(families[0].steps)
    return figure, {
        "stem": "converge-fits",
        "title": f"The data and the fits after {steps} steps",
        "caption": "1000 points of y = x² + 0.1 · standard normal noise (grey), the true curve x² (dashed) and what the 1-20-1 "
        f"network has learnt after {steps} full-batch steps with each optimizer (orange), for the first seed. Same data and "
        "same initial weights in every panel.",
        "alt": "Scatter of a noisy parabola, repeated for each optimizer with the fitted curve over it; the slowest end at a "
        "nearly flat line, the others near the parabola.",
    }


def linear_view(experiment: Experiment) -> Drawing:
    """The view of the document: the same medians on a linear axis from 0 to 0.2."""
    figure, (axes,) = figures.panels(size=(10.0, 5.5))
    _floors(axes, experiment)
    _medians(axes, experiment.families)
    last = experiment.families[0].steps[-1]
    axes.set(title="The document's view: linear axis from 0 to 0.2", xlabel=STEP, ylabel=LOSS, xlim=(0, last), ylim=(0.0, 0.2))
    _labels(axes, experiment, last)
    return figure, {
        "stem": "converge-document",
        "title": "Convergence as the document shows it, linear axis",
        "caption": f"The same medians over {experiment.seeds} seeds on the axis of the published figure. That figure could not "
        "say two things: its curves start from different initialisations, and several of them fall well below 0.01, the "
        f"variance of the noise, which no fit of these data can do for long. {_FLOOR_TEXT}",
        "alt": "Loss against training step on a linear axis from 0 to 0.2, one line per optimizer; " + _ranking(experiment),
    }


def _small_multiples(count: int, **shared: bool) -> tuple[Figure, list[Axes]]:
    """A grid of panels, four in a row, the surplus ones removed."""
    columns = min(4, count)
    rows = -(-count // columns)
    figure, panels = figures.panels(rows, columns, size=(max(2.8 * columns, 5.0), max(2.35 * rows + 0.5, 3.2)), **shared)
    for axes in panels[count:]:
        axes.remove()
    for axes in panels[max(0, count - columns) : count]:
        axes.tick_params(labelbottom=True)
    return figure, panels[:count]


def _medians(axes: Axes, families: Sequence[Family]) -> None:
    """The medians; solid lines lie lowest and those with the widest gaps on top, so that curves that coincide all show."""
    for index, family in enumerate(families):
        height = 2.0 if family.look["linestyle"] == "-" else 2.1 + index / 1000
        axes.plot(family.steps, family.median, label=family.label, zorder=height, **family.look)


def _floors(axes: Axes, experiment: Experiment) -> None:
    """A grey band from the noise floor down to the expected best fit."""
    axes.axhspan(experiment.fitted_floor, experiment.floor, color="0.85", linewidth=0, zorder=0.5)
    axes.axhline(experiment.floor, color="0.3", linewidth=0.8, linestyle="--", zorder=1.5)


def _labels(axes: Axes, experiment: Experiment, last: float) -> None:
    """Names at the right ends of the curves; the floors are explained below them, where no curve can be."""
    curves = [(family.label, float(family.median[-1]), family.look) for family in experiment.families]
    figures.direct_labels(axes, curves, x=last, gap=0.048)
    text = f"grey: noise floor {experiment.floor:.4f} to expected best fit of 61 parameters {experiment.fitted_floor:.4f}"
    how: dict[str, Any] = {"xytext": (6, -3), "textcoords": "offset points", "va": "top", "fontsize": 9}
    axes.annotate(text, (0.0, experiment.fitted_floor), **how)


def _log_axis(axes: Axes, experiment: Experiment, highest: float) -> None:
    """A logarithmic axis with round numbers from below the floor to above ``highest``."""
    axes.set_yscale("log")
    axes.set_ylim(0.75 * experiment.fitted_floor, 1.3 * highest)
    axes.yaxis.set_major_locator(FixedLocator([0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0]))
    number: Callable[[float, int], str] = lambda value, _: f"{value:g}"  # noqa: E731
    axes.yaxis.set_major_formatter(FuncFormatter(number))
    axes.yaxis.set_minor_formatter(NullFormatter())


def _ranking(experiment: Experiment) -> str:
    """The final medians in words, the best first."""
    ordered = sorted(experiment.families, key=lambda family: float(family.median[-1]))
    return ", ".join(f"{family.label} {family.median[-1]:.4f}" for family in ordered) + f"; noise floor {experiment.floor:.4f}."
