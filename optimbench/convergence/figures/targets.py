"""What it costs to reach the target: steps, evaluations and seconds with their intervals, all protocols side by side."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from benchkit import figures
from optimbench.convergence.figures import parts
from optimbench.convergence.figures.parts import COSTS, Drawing
from optimbench.convergence.targets import RULE, Cost, Reached
from optimbench.convergence.trajectory import Study

MOST_TICKS = 5  # of an axis

ByLabel = Mapping[str, Reached]


def costs(studies: Sequence[Study], reached: Mapping[str, ByLabel]) -> Drawing | None:
    """A row for each contender, a panel for each cost, a mark for each protocol; ``reached`` by protocol and label.

    The studies are those of one problem. None where it declares no target, or where nobody reaches it.
    """
    target = studies[0].target
    if target is None or not any(found.ever for by_label in reached.values() for found in by_label.values()):
        return None
    labels = _order(reached)
    figure, panels = figures.panels(1, 3, size=(11.0, 1.6 + 0.34 * len(labels)), sharey=True)
    offsets = np.linspace(-0.24, 0.24, len(reached)) if len(reached) > 1 else [0.0]
    for axes, axis in zip(panels, COSTS, strict=True):
        ends = [c for by in reached.values() for r in by.values() if np.isfinite(c := getattr(r, axis).value) and c > 0]
        low, high = (min(ends) / 1.6, max(ends) * 1.6) if ends else (1.0, 10.0)
        axes.set(xscale="log", xlim=(low, high * (high / low) ** 0.12), xlabel=COSTS[axis])
        parts.logarithmic(axes, low, high, "x")
        ticks = [tick for tick in axes.get_xticks() if low <= tick <= high]  # none under the stripe
        axes.set_xticks(ticks[:: -(-len(ticks) // MOST_TICKS)])
        axes.axvspan(high, axes.get_xlim()[1], color="0.94", linewidth=0, zorder=0.5)
        never = float(np.sqrt(high * axes.get_xlim()[1]))
        axes.annotate("never", (never, 1.0), xycoords=("data", "axes fraction"), ha="center", va="bottom", fontsize=8.5)
        for (protocol, by_label), offset in zip(reached.items(), offsets, strict=True):
            for row, label in enumerate(labels):
                if label in by_label:
                    _mark(axes, getattr(by_label[label], axis), row + offset, never, parts.look_of(protocol))
            axes.plot([], [], **parts.look_of(protocol), linestyle="", label=protocol)
    parts.name_rows(panels, labels, shade="0.975")
    parts.legend_above(figure, panels[0])
    parts.settle(figure)
    study = studies[0]
    return Drawing(
        figure,
        parts.stem(study.problem, "targets"),
        f"{parts.name_of(study)}: cost of reaching {target:g}",
        f"{RULE} Hollow in the grey stripe: not reached in the steps of the run; an interval that runs into it has no upper "
        "end. Evaluations and seconds are those of that step: the median over the seeds, and that times the measured time of "
        "one evaluation of a run alone, with its share of the step. "
        "Protocols: " + "; ".join(f"{protocol}: {parts.words_of(protocol)}" for protocol in reached) + ".",
        f"Three panels, a row for each of {len(labels)} optimizers. Steps to the target: "
        + "; ".join(f"{protocol}: {_said(by_label)}" for protocol, by_label in reached.items())
        + ".",
        table(study.problem, reached),
    )


def table(problem: str, reached: Mapping[str, ByLabel]) -> pd.DataFrame:
    """A row for each protocol and contender: the three costs with their intervals, and the share of seeds below the target."""
    rows: list[dict[str, Any]] = []
    for protocol, by_label in reached.items():
        for label, found in by_label.items():
            row: dict[str, Any] = {"problem": problem, "protocol": protocol, "optimizer": label}
            rows.append(row | found.columns() | {"share_of_seeds": found.share})
    return pd.DataFrame(rows)


def _order(reached: Mapping[str, ByLabel]) -> list[str]:
    """The fastest first, by the least steps under any protocol."""
    best: dict[str, float] = {}
    for by_label in reached.values():
        for label, found in by_label.items():
            value = found.steps.value
            best[label] = min(best.get(label, np.inf), np.inf if np.isnan(value) else value)
    return sorted(best, key=lambda label: (best[label], label))


def _mark(axes: Axes, cost: Cost, y: float, never: float, look: Mapping[str, Any]) -> None:
    """A point with its interval; hollow in the stripe where the target was not reached, nothing where nothing is known."""
    if np.isnan(cost.value):
        return
    left, right = axes.get_xlim()
    if not np.isfinite(cost.value):
        axes.plot(never, y, linestyle="", **look, markerfacecolor="white", markersize=4.5, zorder=3.0)
        return
    low, high = max(cost.low, left), min(cost.high, right)
    if np.isfinite(cost.low):
        axes.plot([low, high], [y, y], color=look["color"], linewidth=1.3, linestyle="-", zorder=2.0)
    axes.plot(max(cost.value, left), y, linestyle="", **look, markersize=5.0, zorder=3.0)


def _said(by_label: ByLabel) -> str:
    ends = sorted((found.steps.value, label) for label, found in by_label.items() if np.isfinite(found.steps.value))
    return ", ".join(f"{label} {value:g}" for value, label in ends) or "none"
