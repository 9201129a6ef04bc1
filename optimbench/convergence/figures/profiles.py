"""Over all problems: performance profiles of the cost of reaching the target."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd

from optimbench.convergence.figures import parts
from optimbench.convergence.figures.parts import Drawing
from optimbench.convergence.profiles import LIMIT, costs_of, profile, ratios, score
from optimbench.convergence.targets import Reached
from optimbench.convergence.trajectory import Study

KINDS = {"steps": ("#0072B2", "-"), "evaluations": ("#D55E00", (0, (6, 2))), "seconds": ("#009E73", (0, (2, 1.5)))}


def performance(protocol: str, studies: Sequence[Study], reached: Sequence[Mapping[str, Reached]]) -> Drawing | None:
    """A panel for each contender: the share of the problems on which it costs at most so many times the best one's cost.

    ``reached`` belongs to ``studies``, one for each problem under this protocol; None for fewer than two with a target, and
    where nobody reaches any.
    """
    kept = [(study, by) for study, by in zip(studies, reached, strict=True) if study.target is not None]
    if len(kept) < 2 or not any(found.ever for _, by in kept for found in by.values()):
        return None
    studies, reached = [study for study, _ in kept], [by for _, by in kept]
    labels = list(dict.fromkeys(runs.contender.label for study in studies for runs in study.entries))
    tau = np.geomspace(1.0, LIMIT, 400)
    found = {axis: ratios(costs_of(labels, reached, axis)) for axis in KINDS}
    heights = {axis: profile(found[axis], tau) for axis in KINDS}
    scores = {axis: score(found[axis], LIMIT) for axis in KINDS}
    order = sorted(range(len(labels)), key=lambda k: (-scores["evaluations"][k], labels[k]))
    figure, panels = parts.small_multiples(len(labels), sharex=True, sharey=True)
    for axes, k in zip(panels, order, strict=True):
        parts.in_grey(axes, [(tau, heights["evaluations"][:, other]) for other in range(len(labels))])
        for axis, (colour, style) in KINDS.items():
            axes.step(tau, heights[axis][:, k], where="post", color=colour, linestyle=style, label=f"in {axis}", linewidth=1.5)
        axes.plot([], [], color=parts.GREY, label="others, in evaluations")
        axes.set(xscale="log", xlim=(1.0, LIMIT), ylim=(-0.03, 1.03))
        axes.set_xticks([1, 4, 16, 64], ["1", "4", "16", "64"])
        axes.minorticks_off()
        parts.title(axes, f"{labels[k]}  {scores['evaluations'][k]:.2f}")
    parts.axis_titles(figure, "times the cost of the best optimizer", "share of the problems")
    parts.legend_above(figure, panels[0])
    solved = np.isfinite(costs_of(labels, reached, "steps")).sum(axis=0)
    data = pd.concat([pd.DataFrame(heights[axis], columns=labels).assign(ratio=tau, cost=axis) for axis in KINDS])
    return Drawing(
        figure,
        parts.stem("profiles", protocol),
        f"Performance profiles over {len(studies)} problems, {protocol}",
        f"Dolan and Moré's performance profiles, {parts.words_of(protocol)}: at ratio 1 the share of the problems on which an "
        "optimizer reaches the target first, at the right end that on which it reaches it within "
        f"{LIMIT:g} times the cost of the best. Beside each name the area under the profile in evaluations, 1 at most; the "
        f"order is that of this area. Problems: {', '.join(study.problem for study in studies)}.",
        f"{len(labels)} small panels. Problems on which the target is reached: "
        + ", ".join(f"{labels[k]} {solved[k]} of {len(studies)}" for k in order)
        + ".",
        data[["cost", "ratio", *labels]],
    )
