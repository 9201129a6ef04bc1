"""The studies of a results file: what the figures, tables and statistics are made from."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from benchkit.request import UsageError
from benchkit.results import Record, Results, read
from optimbench.convergence.shards import Store
from optimbench.convergence.trajectory import Contender, Study, Trajectories, Tuning

SHARDS = "shards"  # the folder of the shards, beside the results file


def studies(path: Path) -> list[Study]:
    """The studies of ``optimbench-converge.jsonl``, the entries in the order of the contenders asked for.

    UsageError where there is no such file, or one of the shards that it names is gone.
    """
    results = read(path)
    store = Store(path.parent / SHARDS)
    tunings = {(record["problem"], record["label"]): _tuning(record) for record in results.of("tuning")}
    return [_study(record, results, store, tunings) for record in results.of("study")]


def _study(record: Record, results: Results, store: Store, tunings: dict[tuple[str, str], Tuning]) -> Study:
    problem, protocol = record["problem"], record["protocol"]
    order = {label: number for number, label in enumerate(results.header["labels"])}
    mine = [entry for entry in results.of("entry") if (entry["problem"], entry["protocol"]) == (problem, protocol)]
    mine.sort(key=lambda entry: (order.get(entry["label"].partition(", lr ")[0], len(order)), entry["setting"]["lr"]))
    return Study(
        problem=problem,
        title=record["title"],
        protocol=protocol,
        entries=tuple(_trajectories(entry, store) for entry in mine),
        tunings={label: tuning for (of, label), tuning in tunings.items() if of == problem} if protocol == "tuned" else {},
        floor=np.array(record["floor"], dtype=float),
        target=record["target"],
        objective=record["objective"],
        optimum=bool(record.get("optimum")),
    )


def _trajectories(entry: Record, store: Store) -> Trajectories:
    """The replicas of an entry, from its shards in the order of the seeds."""
    for id in entry["shards"]:
        if not store.has(id):
            raise UsageError(
                f"{store.path(id)} is missing, and {entry['id']} needs it; run the same 'optimbench converge' again to make it"
            )
    parts = [store.load(id) for id in entry["shards"]]
    columns = {
        name: np.concatenate([part[name] for part in parts]) if name in parts[0] else None
        for name in ("losses", "evaluations", "iterates", "parameters")
    }
    losses, evaluations = columns["losses"], columns["evaluations"]
    assert losses is not None
    assert evaluations is not None
    return Trajectories(
        problem=entry["problem"],
        contender=Contender(entry["name"], entry["label"], entry["options"]),
        setting=entry["setting"],
        seeds=tuple(entry["seeds"]),
        steps=parts[0]["steps"],
        losses=losses.astype(float),
        evaluations=evaluations,
        step_seconds=float(entry["step_seconds"]),
        evaluation_seconds=float(entry.get("evaluation_seconds", "nan")),
        path=entry["path"],
        iterates=None if columns["iterates"] is None else columns["iterates"].astype(float),
        parameters=None if columns["parameters"] is None else columns["parameters"].astype(float),
    )


def _tuning(record: Record) -> Tuning:
    return Tuning(tuple(record["settings"]), np.array(record["finals"], dtype=float), record["chosen"], record["runs"])
