"""The proof that a verification works: every planted bug must be caught, and the reference in torch's place must pass."""

from __future__ import annotations

import multiprocessing
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import dataclass
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn
from rich.table import Table

from benchkit.attribute import load
from benchkit.judge import ERROR, FAIL
from benchkit.request import DISCREPANCY, RIGHT, Request
from benchkit.results import Run
from benchkit.spec import Planted
from benchkit.verification import Bench, Record

CAUGHT, SURVIVED, PASSED, REFUSED = "caught", "survived", "passed", "failed"
REFERENCE = "the reference itself"  # the control: right, and not torch's algebra
DTYPE_ORDER = ("float32", "float64", "bfloat16", "float16")  # where a bug shows first is where it is looked for first


@dataclass(frozen=True)
class Task:
    """One item with one of its planted bugs (by number), or with none as the control; picklable."""

    bench: str
    item: str
    bug: int | None
    level: str
    seed: int


def prove(request: Request, bench: Bench) -> int:
    """Run the proof and return its exit status: 0 if every bug is caught and every reference passes, else 1."""
    console = Console(stderr=True)
    names = request.items or tuple(bench.registry)
    with (
        Run.open(request) as run,
        Progress(
            TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), console=console, transient=True
        ) as progress,
    ):
        tasks = [
            Task(bench.name, name, bug, request.level, request.seed)
            for name in names
            for bug in (None, *range(len(bench.registry[name].planted_bugs)))
        ]
        shown = progress.add_task(f"{request.suite} prove", total=len(tasks))
        records: list[Record] = []
        for record in _execute(tasks):
            records.append(run.write("mutant", record.pop("id"), **record))
            progress.advance(shown)
        bad = [r for r in records if r["status"] in (SURVIVED, REFUSED)]
        run.end(status=DISCREPANCY if bad else RIGHT, caught=sum(r["status"] == CAUGHT for r in records), survived=len(bad))
    _print(Console(), request, names, records)
    return DISCREPANCY if bad else RIGHT


def _execute(tasks: list[Task]) -> Iterator[Record]:
    if len(tasks) < 12:
        yield from map(attempt, tasks)
        return
    with ProcessPoolExecutor(multiprocessing.cpu_count(), mp_context=multiprocessing.get_context("forkserver")) as pool:
        for future in as_completed([pool.submit(attempt, task) for task in tasks]):
            yield future.result()


def attempt(task: Task) -> Record:
    """Run the cases of an item on one wrong version until one fails; on the reference itself, run them all."""
    bench: Bench = load(task.bench)
    item = bench.registry[task.item]
    bug: Planted | None = None if task.bug is None else item.planted_bugs[task.bug]
    subject = bench.formula(item, **({} if bug is None else {bug.part: bug.function}))
    record: Record = {
        "id": f"{task.item}-{task.bug if task.bug is not None else 'reference'}", "item": task.item,
        "bug": REFERENCE if bug is None else bug.name, "part": "" if bug is None else bug.part,
        "thread": "" if bug is None else bug.thread, "status": PASSED if bug is None else SURVIVED, "by": None, "ratio": None,
        "cases": 0, "message": [],
    }  # fmt: skip
    for dtype in DTYPE_ORDER:
        for case in bench.cases(item, task.level, (dtype,), "cpu", task.seed):
            for check in bench.run_case(case, subject, frozenset()):
                record["cases"] += 1
                if check["status"] == FAIL or (check["status"] == ERROR and bug is None):
                    return record | {
                        "status": REFUSED if bug is None else CAUGHT, "by": check["id"], "ratio": check["ratio"],
                        "message": check["message"],
                    }  # fmt: skip
    return record


def _print(console: Console, request: Request, names: Any, records: list[Record]) -> None:
    table = Table(title=f"{request.suite} prove, level {request.level}")
    for heading in ("item", "planted", "caught", "reference"):
        table.add_column(heading, justify="left" if heading == "item" else "right")
    for name in names:
        mine = [r for r in records if r["item"] == name]
        bugs = [r for r in mine if r["bug"] != REFERENCE]
        control = next(r["status"] for r in mine if r["bug"] == REFERENCE)
        table.add_row(name, str(len(bugs)), str(sum(r["status"] == CAUGHT for r in bugs)), control)
    console.print(table)
    for record in records:
        if record["status"] in (SURVIVED, REFUSED):
            lines = [f"{record['item']}: {record['bug']!r} {record['status']} ({record['cases']} checks)", *record["message"]]
            console.print("\n".join(lines), style="red", highlight=False, markup=False, soft_wrap=True)
