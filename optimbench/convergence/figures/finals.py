"""Where training ends: the final objective of every seed, and which contenders can be told apart by it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.colors import ListedColormap

from benchkit import figures
from benchkit.grid import generator
from optimbench.convergence.comparison import Comparison
from optimbench.convergence.figures import parts
from optimbench.convergence.figures.parts import Drawing
from optimbench.convergence.statistics import bands, diverged, median
from optimbench.convergence.trajectory import Study

SIGNS: dict[str, dict[str, Any]] = {
    "a seed": {"marker": ".", "linestyle": "", "color": "0.55", "markersize": 5.0},
    "middle 90 %": {"linewidth": 1.6, "linestyle": "-", "color": "0.35"},
    "middle half": {"linewidth": 5.0, "linestyle": "-", "color": "0.35"},
    "median": {"marker": "|", "linestyle": "", "color": "black", "markersize": 9, "markeredgewidth": 1.8},
}


def distributions(studies: Sequence[Study]) -> Drawing:
    """Every seed as a dot, with median, middle half and middle 90 %; a row for each contender, a panel for each protocol."""
    first = studies[0]
    talls = [parts.height(study) for study in studies]
    log = all(tall.log for tall in talls)
    low, high = min(tall.low for tall in talls), max(tall.high for tall in talls)
    labels = list(dict.fromkeys(runs.contender.label for study in studies for runs in study.entries))
    best = {label: min(median(r.final) for s in studies for r in s.entries if r.contender.label == label) for label in labels}
    labels.sort(key=lambda label: (best[label], label))
    size = (2.2 + 3.1 * len(studies), 1.5 + 0.3 * len(labels))
    figure, panels = figures.panels(1, len(studies), size=size, sharey=True, sharex=True)
    for axes, study, tall in zip(panels, studies, talls, strict=True):
        look = parts.look_of(study.protocol)
        for runs in study.entries:
            row = labels.index(runs.contender.label)
            lost = diverged(runs.final)
            ends = tall.of(runs.final[~lost])
            scatter = generator("scatter of the dots", runs.contender.label).uniform(-0.3, 0.3, len(ends))
            axes.plot(ends, row + scatter, ".", color="0.55", markersize=2.2, alpha=0.6, zorder=1.5, rasterized=True)
            found = bands(runs.final[:, None])
            for (left, right), width in ((found.most, 1.6), (found.half, 5.0)):
                ends_of_bar = tall.of(np.concatenate([left, right]))
                axes.plot(ends_of_bar, [row, row], color=look["color"], linewidth=width, linestyle="-", solid_capstyle="butt")
            axes.plot(tall.of(found.median), [row], marker="|", color="black", markersize=9, markeredgewidth=1.8, zorder=4.0)
            if lost.any():
                text = f"{lost.sum()} diverged"
                how: dict[str, Any] = {"ha": "right", "va": "center", "fontsize": 8, "color": parts.WARNING, "zorder": 5.0}
                how["bbox"] = {"boxstyle": "square,pad=0.15", "facecolor": "white", "edgecolor": "none", "alpha": 0.85}
                axes.annotate(text, (0.99, row), xycoords=("axes fraction", "data"), **how)
        floors = study.floor[np.isfinite(study.floor)]
        if len(floors) and low <= (floor := float(np.median(floors)) - tall.offset):
            axes.axvline(floor, color=parts.INK, linewidth=0.9, linestyle="--", zorder=1.2, label="floor")
        if log:
            axes.set_xscale("log")
            parts.logarithmic(axes, low, high, "x")
        axes.set_xlim(low, high)
        axes.set_title(study.protocol)
    parts.name_rows(panels, labels, shade="0.965")
    figure.supxlabel(f"{talls[0].label}, after the last step", fontsize=11)
    for words, how in SIGNS.items():
        panels[0].plot([], [], label=words, **how)
    parts.legend_above(figure, *panels)
    parts.settle(figure)
    rows = [
        {"protocol": study.protocol, "optimizer": runs.contender.label, **runs.setting, "seed": seed, "final": final}
        for study in studies
        for runs in study.entries
        for seed, final in zip(runs.seeds, runs.final, strict=True)
    ]
    return Drawing(
        figure,
        parts.stem(first.problem, "finals"),
        f"{parts.name_of(first)}: distribution of the final objective",
        f"{len(first.entries[0].seeds)} seeds. Runs that diverged are counted at the right and are the worst in every "
        "statistic. Order: best median under any protocol first. "
        + "; ".join(f"{study.protocol}: {parts.words_of(study.protocol)}" for study in studies)
        + ".",
        "; ".join(f"{study.protocol}: {parts.ranking(study)}" for study in studies) + ".",
        pd.DataFrame(rows),
    )


def pairs(study: Study, compared: Comparison) -> Drawing:
    """Every contender against every other: better, worse or not distinguishable, the best median first."""
    order = [study.entries.index(runs) for runs in parts.ordered(study)]
    labels = [study.entries[k].contender.label for k in order]
    better = compared.better[np.ix_(order, order)]
    corrected = compared.corrected[np.ix_(order, order)]
    edge = 2.6 + 0.36 * len(labels)
    figure, (axes,) = figures.panels(size=(edge + 1.0, edge))
    shown = np.where(np.eye(len(labels), dtype=bool), 0, better + 2)
    axes.imshow(shown, cmap=ListedColormap(["white", "#F0B48A", "0.90", "#8DBFDD"]), vmin=0, vmax=3)
    for i, j in np.ndindex(*shown.shape):
        if i != j:
            mark = {1: "+", 0: f"{corrected[i, j]:.2f}".lstrip("0") if corrected[i, j] < 0.995 else "1", -1: "−"}[
                int(better[i, j])
            ]
            axes.annotate(mark, (j, i), ha="center", va="center", fontsize=7 if better[i, j] == 0 else 11, color="0.15")
    letters = [compared.letters[k] for k in order]
    names = [f"{label}  ({group})" for label, group in zip(labels, letters, strict=True)]
    axes.set(xticks=range(len(labels)), yticks=range(len(labels)), yticklabels=[parts.broken(name, 22) for name in names])
    axes.set_xticklabels(list(map(parts.broken, labels)), rotation=60, ha="right", rotation_mode="anchor")
    axes.grid(False)
    axes.spines[:].set_visible(False)
    axes.tick_params(length=0)
    for colour, words in (("#8DBFDD", "+ row better"), ("0.90", "not distinguishable (p)"), ("#F0B48A", "− row worse")):
        axes.plot([], [], marker="s", markersize=9, linestyle="", color=colour, label=words)
    parts.legend_above(figure, axes, columns=3)
    few = f" With {compared.seeds} seeds no pair could be told apart; {compared.enough_seeds} are needed."
    i, j = np.nonzero(np.triu(np.ones_like(better), 1))
    data = pd.DataFrame({"optimizer": np.take(labels, i), "other": np.take(labels, j), "better": better[i, j]})
    data = data.assign(p=compared.p[np.ix_(order, order)][i, j], p_holm=corrected[i, j])
    return Drawing(
        figure,
        parts.stem(study.problem, study.protocol, "pairs"),
        f"{parts.name_of(study)}, {study.protocol}: which optimizers can be told apart",
        f"Wilcoxon's signed-rank test of the final objective on {compared.seeds} shared seeds, two-sided at 5 % after Holm's "
        f"correction for all {compared.pairs} pairs; {compared.distinguished} of them can be told apart. A number is the "
        "corrected p-value of a pair that cannot; that is no proof that the two are equal. Optimizers that share a letter are "
        f"not distinguishable.{few if compared.seeds < compared.enough_seeds else ''}",
        f"A square matrix of {len(labels)} optimizers; groups: {', '.join(names)}.",
        data,
    )
