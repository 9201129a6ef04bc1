"""How much depends on the learning rate: the final objective over the grid that was tuned."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from optimbench.convergence.figures import parts
from optimbench.convergence.figures.parts import Drawing, Height
from optimbench.convergence.statistics import Bands, bands
from optimbench.convergence.trajectory import Array, Study, Tuning


def sensitivity(study: Study) -> Drawing | None:
    """Final objective on the tuning seeds against the learning rate, a panel for each contender; None where none was tuned.

    Where a second hyperparameter was tuned, the line is that of its chosen value and those of the others are grey.
    """
    labels = [runs.contender.label for runs in study.entries if runs.contender.label in study.tunings]
    if not labels:
        return None
    tall = _height(study)
    figure, panels = parts.small_multiples(len(labels), sharey=True, size=(2.75, 2.3))
    for axes, label in zip(panels, labels, strict=True):
        tuning = study.tunings[label]
        for other, lrs, found in _lines(tuning):
            if other == _second(tuning.settings[tuning.chosen]):
                parts.draw_bands(axes, lrs, found, tall)
                axes.plot(lrs, tall.of(found.median), color=parts.STRONG, marker=".", linestyle="", zorder=3.1)
            else:
                axes.plot(lrs, tall.of(found.median), color="0.6", linewidth=0.9, linestyle="-", zorder=1.6)
        chosen = tuning.settings[tuning.chosen]
        best = float(bands(tuning.finals[tuning.chosen][:, None]).median[0])
        flagged = "chosen, at the edge of the grid" if tuning.at_edge else "chosen"
        colour = parts.WARNING if tuning.at_edge else "#009E73"
        how: dict[str, Any] = {
            "marker": "X" if tuning.at_edge else "o",
            "markersize": 9.0,
            "markeredgecolor": "white",
            "linestyle": "",
        }
        axes.plot(chosen["lr"], tall.of(np.array(best)), color=colour, label=flagged, zorder=4.0, **how)
        parts.draw_floor(axes, study, tall)
        tall.set(axes)
        axes.set_xscale("log")
        tried = [setting["lr"] for setting in tuning.settings]
        parts.logarithmic(axes, min(tried), max(tried), "x")
        parts.title(axes, label, parts.rate(chosen))
    parts.axis_titles(figure, "learning rate (dimensionless)", f"{tall.label}, after the last step")
    parts.legend_above(figure, *panels, columns=4)
    edges = [label for label in labels if study.tunings[label].at_edge]
    runs = sum(tuning.runs for tuning in study.tunings.values())
    seeds = next(iter(study.tunings.values())).finals.shape[1]
    warned = f" At the edge of the grid, so that a wider one could do better: {', '.join(edges)}." if edges else ""
    return Drawing(
        figure,
        parts.stem(study.problem, study.protocol, "sensitivity"),
        f"{parts.name_of(study)}: sensitivity to the learning rate",
        f"Median over {seeds} tuning seeds, middle half and middle 90 %, of the objective after the last step; a line that "
        f"leaves the axis at the top diverges. The marked setting has the best median; it is what the protocol uses, on other "
        f"seeds. Tuning cost {runs} training runs.{warned}",
        f"{len(labels)} small panels, final objective against the learning rate. Chosen: "
        + ", ".join(f"{label} {parts.rate(study.tunings[label].settings[study.tunings[label].chosen])}" for label in labels)
        + ".",
        table(study),
    )


def table(study: Study) -> pd.DataFrame:
    """A row for each contender and setting."""
    rows = []
    for label, tuning in study.tunings.items():
        found = bands(tuning.finals.T)
        for k, setting in enumerate(tuning.settings):
            order = {"median": found.median[k], "p25": found.half[0][k], "p75": found.half[1][k]}
            order |= {"p5": found.most[0][k], "p95": found.most[1][k]}
            rows.append({"optimizer": label, **setting, **order, "chosen": k == tuning.chosen})
    return pd.DataFrame(rows)


Second = tuple[tuple[str, float], ...]


def _second(setting: Mapping[str, float]) -> Second:
    """A setting without its learning rate."""
    return tuple((name, value) for name, value in setting.items() if name != "lr")


def _lines(tuning: Tuning) -> list[tuple[Second, Array, Bands]]:
    """The lines of a panel: second hyperparameter, learning rates in order, bands over the tuning seeds."""
    found = []
    for other in dict.fromkeys(map(_second, tuning.settings)):
        chosen = [k for k, setting in enumerate(tuning.settings) if _second(setting) == other]
        chosen.sort(key=lambda k: tuning.settings[k]["lr"])
        lrs = np.array([tuning.settings[k]["lr"] for k in chosen])
        found.append((other, lrs, bands(tuning.finals[chosen].T)))
    return found


def _height(study: Study) -> Height:
    """The axis of the curves, low enough for what the tuning seeds reached."""
    tall = parts.height(study)
    if not tall.log:
        return tall
    finals = np.concatenate([bands(tuning.finals.T).most[0] for tuning in study.tunings.values()]) - tall.offset
    lowest = float(np.min(finals, where=finals > 0.0, initial=tall.low * 1.35)) / 1.35
    return Height(tall.label, tall.offset, max(min(lowest, tall.low), tall.high * 10.0**-parts.DECADES), tall.high, log=True)
