"""The results as tables: one of numbers for programs, and the same as text for terminal and page."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from optimbench.convergence.answers import Answer
from optimbench.convergence.profiles import LIMIT, costs_of, ratios, score
from optimbench.convergence.statistics import diverged, median
from optimbench.convergence.targets import COSTS, RULE, Cost


@dataclass(frozen=True)
class Table:
    """A table as text, its first column the names of the rows, with the numbers that it was made from."""

    stem: str
    title: str
    notes: tuple[str, ...]  # sentences
    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    data: pd.DataFrame


def numbers(answer: Answer) -> pd.DataFrame:
    """A row for each contender of a study, the best median first; ``inf``: diverged, or the target was not reached."""
    rows = []
    for runs, (low, high), letters in zip(answer.study.entries, answer.intervals, answer.compared.letters, strict=True):
        label = runs.contender.label
        row: dict[str, Any] = {"problem": answer.study.problem, "protocol": answer.study.protocol, "optimizer": label}
        row |= dict(runs.setting)
        row |= {"final": median(runs.final), "final_low": low, "final_high": high, "group": letters}
        row |= {"seeds": len(runs.seeds), "diverged": int(diverged(runs.final).sum())}
        if answer.reached:
            row |= answer.reached[label].columns()
            row |= {"below_target": round(answer.reached[label].share * len(runs.seeds))}
        tuning = answer.study.tunings.get(label)
        if tuning:
            row |= {"tuning_runs": tuning.runs, "at_edge": tuning.at_edge}
        rows.append(row | {"evaluation_seconds": runs.evaluation_seconds, "path": runs.path})
    return pd.DataFrame(rows).sort_values(["final", "optimizer"], ignore_index=True)


def table(answer: Answer) -> Table:
    """The table of a study as people read it."""
    study, frame = answer.study, numbers(answer)
    tuned = "tuning_runs" in frame
    settings = list(dict.fromkeys(name for runs in study.entries for name in runs.setting))
    columns = ["optimizer", *settings, "final objective", "95 % interval", "group"]
    columns += ["steps to target", "evaluations", "seconds"] if answer.reached else []
    columns += ["diverged", *(["tuning runs"] if tuned else []), "trained as"]
    rows = []
    for _, row in frame.iterrows():
        cells = [str(row["optimizer"])]
        for name in settings:
            edge = "*" if name == "lr" and tuned and row["at_edge"] is True else ""
            cells.append(f"{row[name]:.3g}{edge}" if pd.notna(row[name]) else "")
        cells += [objective(row["final"]), interval(row["final_low"], row["final_high"]), str(row["group"])]
        for name in COSTS if answer.reached else ():
            text = cost_text(Cost(row[name], row[f"{name}_low"], row[f"{name}_high"]))
            some = name == "steps" and row["steps"] == np.inf and row["below_target"]
            cells.append(f"{text} ({row['below_target']}/{row['seeds']})" if some else text)
        cells.append(f"{row['diverged']} of {row['seeds']}" if row["diverged"] else "")
        cells += [f"{row['tuning_runs']:g}" if pd.notna(row["tuning_runs"]) else ""] if tuned else []
        rows.append((*cells, str(row["path"])))
    return Table(
        f"converge-{study.problem}-{study.protocol}",
        f"{study.title}, {study.protocol}",
        tuple(notes(answer)),
        tuple(columns),
        tuple(rows),
        frame,
    )


def notes(answer: Answer) -> list[str]:
    """What the columns mean and what the numbers cannot say."""
    study, compared = answer.study, answer.compared
    floor = study.floor[np.isfinite(study.floor)]
    words = [
        f"{study.objective[:1].upper()}{study.objective[1:]}, median over {len(study.entries[0].seeds)} seeds with its "
        f"bootstrap interval{f'; floor {np.median(floor):.4g}' if len(floor) else ''}.",
        "Optimizers that share a letter are not distinguishable: Wilcoxon's signed-rank test on shared seeds, 5 % after Holm's "
        "correction for all pairs.",
        f"{study.protocol.capitalize()}: {compared.distinguished} of {compared.pairs} pairs can be told apart.",
    ]
    if compared.seeds < compared.enough_seeds:
        words.append(f"{compared.seeds} seeds are too few to tell any pair apart; that takes {compared.enough_seeds}.")
    if study.target is not None:
        words.append(f"Target {study.target:g}. {RULE}")
        if any(found.share > 0.0 and not found.ever for found in answer.reached.values()):
            words.append("(m/n): the mean did not reach it, though m of the n seeds were below it at some step.")
    if any(tuning.at_edge for tuning in study.tunings.values()):
        words.append("*: at the edge of the grid, a wider one could do better.")
    return words


def ranks(answers: Sequence[Answer]) -> Table:
    """All problems of one protocol: for each contender the place of its median on each problem, with its group."""
    problems = {answer.study.problem: answer for answer in answers}
    by_label: dict[str, dict[str, str]] = {}
    places: dict[str, list[float]] = {}
    for name, answer in problems.items():
        frame = numbers(answer)
        frame["place"] = frame["final"].rank(method="min")
        for _, row in frame.iterrows():
            by_label.setdefault(row["optimizer"], {})[name] = f"{row['place']:g} {row['group']}"
            places.setdefault(row["optimizer"], []).append(float(row["place"]))
    order = sorted(by_label, key=lambda label: (float(np.median(places[label])), label))
    rows = [(label, f"{np.median(places[label]):g}", *(by_label[label].get(name, "–") for name in problems)) for label in order]
    protocol = answers[0].study.protocol
    return Table(
        f"converge-ranks-{protocol}",
        f"Places on {len(problems)} problems, {protocol}",
        (
            "Place by the median of the final objective on each problem, and the group; optimizers that share a letter are not "
            "distinguishable. A dash: not run there.",
        ),
        ("optimizer", "median place", *problems),
        tuple(rows),
        pd.DataFrame(rows, columns=["optimizer", "median_place", *problems]),
    )


def solved(answers: Sequence[Answer]) -> Table | None:
    """All problems with a target of one protocol: how many are solved, and the areas under the performance profiles."""
    with_target = [answer for answer in answers if answer.reached]
    if len(with_target) < 2:
        return None
    labels = list(dict.fromkeys(label for answer in with_target for label in answer.reached))
    columns: dict[str, Any] = {}
    for name in COSTS:
        found = ratios(costs_of(labels, [answer.reached for answer in with_target], name))
        columns |= {"solved": np.isfinite(found).sum(axis=0)} if name == "steps" else {}
        columns |= {f"best_{name}": (found == 1.0).sum(axis=0), f"score_{name}": score(found, LIMIT)}
    frame = pd.DataFrame({"optimizer": labels, **columns})
    frame = frame.sort_values(["score_evaluations", "optimizer"], ascending=[False, True], ignore_index=True)
    protocol = answers[0].study.protocol
    rows = [
        (
            str(row["optimizer"]),
            f"{row['solved']} of {len(with_target)}",
            *(f"{row[f'score_{name}']:.2f} ({row[f'best_{name}']})" for name in COSTS),
        )
        for _, row in frame.iterrows()
    ]
    return Table(
        f"converge-profiles-{protocol}",
        f"Targets reached on {len(with_target)} problems, {protocol}",
        (
            f"Area under the performance profile up to {LIMIT:g} times the cost of the best, 1 at most; in parentheses "
            "on how many problems it is the cheapest.",
        ),
        ("optimizer", "problems solved", "area, steps", "area, evaluations", "area, seconds"),
        tuple(rows),
        frame,
    )


def objective(value: float, digits: int = 4) -> str:
    """An objective with so many digits."""
    return "diverged" if value == np.inf else "–" if np.isnan(value) else f"{value:.{digits}g}"


def interval(low: float, high: float) -> str:
    """An interval in brackets, a dash where none is known."""
    if np.isnan(low):
        return "–"
    return f"[{objective(low, 3)}, {objective(high, 3)}]" if low < np.inf else "diverged"


def cost_text(cost: Cost) -> str:
    """A cost with its interval: ``42 [40, 47]``, ``not reached``, a dash where it is not known."""
    if np.isnan(cost.value):
        return "–"
    if cost.value == np.inf:
        return "not reached"
    high = "never" if cost.high == np.inf else f"{cost.high:.3g}" if cost.high < 1000 else f"{cost.high:.0f}"
    low, value = (f"{end:.3g}" if end < 1000 else f"{end:.0f}" for end in (cost.low, cost.value))
    return f"{value} [{low}, {high}]"
