"""The proof that a verification works: every wrong version of an item must be told from the right one, which must pass.

Wrong versions are the bugs that the declaration plants, the generic ones of its kind of item, and automatic edits of its
formula. All of them are judged together: what a case expects is worked out once for all that are still undecided.
"""

from __future__ import annotations

import datetime
import functools
import warnings
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, wait
from dataclasses import dataclass, field
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn
from rich.table import Table

from benchkit import workers
from benchkit.attribute import load, torch_class
from benchkit.edits import edits
from benchkit.judge import ERROR, FAIL
from benchkit.request import DISCREPANCY, RIGHT, Request
from benchkit.results import Run
from benchkit.spec import Equivalent, Item, Planted
from benchkit.tally import Stopwatch, Tally, Work
from benchkit.verification import Bench, Record
from benchkit.waivers import Waivers

CAUGHT, SURVIVED, PASSED, REFUSED = "caught", "survived", "passed", "failed"
EQUIVALENT, MISNAMED = "equivalent", "misnamed"  # right after all, and said to be; said to be, and wrong or not there
BAD = (SURVIVED, REFUSED, MISNAMED)
REFERENCE = "the reference itself"  # the control: right, and not torch's algebra
PLANTED, GENERIC, CONTROL = "planted", "generic", "control"
SUBJECT = "subject"  # the part of a planted bug that is a class in torch's place
DTYPE_ORDER = ("float32", "float64", "bfloat16", "float16")  # where a bug shows first is where it is looked for first
LANE_ORDER = ("ordinary", "exact", "edge")
FIRST_BATCH, BATCH = 8, 64  # cases in one unit of work; in the first ones most bugs are caught


@dataclass(frozen=True)
class Mutant:
    """One wrong version of an item, or the right one as the control. ``text`` is its name without the line that it is on."""

    id: str
    name: str
    kind: str
    subject: Callable[[], Any]
    part: str = ""
    thread: str = ""
    where: str = ""
    function: str = ""
    text: str = ""
    equivalent: Equivalent | None = None

    @property
    def own_class(self) -> bool:
        """Whether it is a class in torch's place, and not a formula."""
        return self.part == SUBJECT


@functools.lru_cache(maxsize=4)
def mutants(bench_name: str, name: str) -> tuple[Mutant, ...]:
    """The control and all wrong versions of an item, the same in every process."""
    bench: Bench = load(bench_name)
    item: Item = bench.registry[name]
    made: list[dict[str, Any]] = [
        {"id": "reference", "name": REFERENCE, "kind": CONTROL, "subject": lambda: bench.formula(item)}
    ]
    for number, bug in enumerate(item.planted_bugs):
        subject = functools.partial(_planted, bench, item, bug)
        about = {"part": bug.part, "thread": bug.thread, "where": bug.where}
        made.append({"id": str(number), "name": bug.name, "kind": PLANTED, "subject": subject, "text": bug.name, **about})
    for text, build in bench.generic(item).items():
        made.append({"id": f"generic-{text}", "name": text, "kind": GENERIC, "subject": build, "text": text})
    for edit in edits(item):
        build = functools.partial(bench.formula, item, **edit.parts)
        about = {"part": ", ".join(edit.parts), "function": edit.function}
        made.append({"id": edit.name, "name": edit.name, "kind": edit.kind, "subject": build, "text": edit.text, **about})
    return tuple(
        Mutant(**{**fields, "id": f"{name}-{fields['id']}", "equivalent": _equivalence(item, fields)}) for fields in made
    )


def _equivalence(item: Item, fields: Record) -> Equivalent | None:
    if fields["kind"] in (PLANTED, CONTROL):
        return None
    function = fields.get("function", "")
    return next((e for e in item.equivalents if e.edit == fields["text"] and e.within in ("", function)), None)


def _planted(bench: Bench, item: Item, bug: Planted) -> Any:
    """The subject of a planted bug: the formula with a wrong part, or a class made from torch's."""
    if bug.part == SUBJECT:
        right = torch_class(item.path)
        with warnings.catch_warnings():  # a deprecated class says so when another is made from it
            warnings.simplefilter("ignore", FutureWarning)
            broken = bug.function(right)
        broken.__module__, broken.__name__ = right.__module__, right.__name__  # it is to be held to all that torch's own is
        return bench.subject(item, "cpu", broken)
    return bench.formula(item, **{bug.part: bug.function})


@dataclass(frozen=True)
class Task:
    """A run of cases of one item, on those of its mutants (by number) that nothing has caught so far; picklable."""

    bench: str
    item: str
    alive: tuple[int, ...]
    level: str
    seed: int
    start: int = 0
    stop: int | None = None


@functools.lru_cache(maxsize=4)
def _cases(bench_name: str, name: str, level: str, seed: int) -> tuple[Any, ...]:
    """The cases of an item, those first that are done soon and catch most."""
    bench: Bench = load(bench_name)
    found = [case for d in DTYPE_ORDER for case in bench.cases(bench.registry[name], level, (d,), "cpu", seed)]

    def rank(case: Any) -> tuple[int, int, int]:
        lane = LANE_ORDER.index(case.lane) if case.lane in LANE_ORDER else len(LANE_ORDER)
        reduced = getattr(case, "reduction", "none") not in ("none", "")
        return DTYPE_ORDER.index(case.dtype) // 2, lane // 3, reduced

    return tuple(sorted(found, key=rank))


@dataclass
class Outcome:
    """What became of some mutants in a run of cases: by number how many checks each had, and what caught it, if it is.

    ``work`` is what all of them took.
    """

    checks: dict[int, int] = field(default_factory=dict)
    caught: dict[int, Record] = field(default_factory=dict)
    work: Work = field(default_factory=Work)


def attempt(task: Task) -> Outcome:
    """Run cases on mutants, each until a check fails; on the reference itself, run them all."""
    watch = Stopwatch()
    import torch

    torch.set_num_threads(1)
    bench: Bench = load(task.bench)
    all_of_them = mutants(task.bench, task.item)
    subjects = {number: all_of_them[number].subject() for number in task.alive}
    cases = _cases(task.bench, task.item, task.level, task.seed)[task.start : task.stop]
    outcome = Outcome(dict.fromkeys(task.alive, 0))
    for case in cases:
        fitting = [n for n in subjects if _concerns(bench, case, all_of_them[n])]
        if not fitting:
            continue
        run = bench.prepared(case)
        for number in fitting:
            for check in run(subjects[number]):
                outcome.checks[number] += 1
                if check["status"] in (FAIL, ERROR) and not (all_of_them[number].own_class and waivers().match(check)):
                    outcome.caught[number] = {"by": check["id"], "ratio": check["ratio"], "message": check["message"]}
                    del subjects[number]
                    break
        if not subjects:
            break
    outcome.work = watch.work(sum(outcome.checks.values()))
    return outcome


@functools.cache
def waivers() -> Waivers:
    """The known defects of the installed torch, which a broken class made from torch's has too: they tell nothing of it."""
    import torch

    return Waivers.load(None, torch.__version__, datetime.date.today())


def _concerns(bench: Bench, case: Any, mutant: Mutant) -> bool:
    """Whether a case is put to a mutant: those of its kind, or those that it says are to tell it."""
    if not mutant.own_class and not mutant.where:
        return bench.for_formulas(case)
    check = getattr(case, "scenario", "") or getattr(case, "check", "")
    return not mutant.where or mutant.where in case.id(check)


def prove(request: Request, bench: Bench) -> int:
    """Run the proof and return its exit status: 0 if every wrong version is caught and every reference passes, else 1."""
    console = Console(stderr=True)
    names = request.items or tuple(bench.registry)
    with (
        Run.open(request) as run,
        Progress(
            TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), console=console, transient=True
        ) as progress,
    ):
        records: list[Record] = [record for record in run.records if record["kind"] == "mutant"]
        done = {record["id"] for record in records}
        total = sum(len(mutants(bench.name, name)) for name in names)
        shown = progress.add_task(f"{request.suite} prove", total=total, completed=len(records))
        tally = Tally(asked=request.begun)
        for record in _execute(request, bench, names, done, tally):
            records.append(run.write("mutant", record.pop("id"), **record))
            progress.advance(shown)
        for name in names:
            for record in _unmatched(bench, name):
                if record["id"] not in done:
                    records.append(run.write("mutant", record.pop("id"), **record))
        bad = [r for r in records if r["status"] in BAD]
        caught, equivalent = (sum(r["status"] == status for r in records) for status in (CAUGHT, EQUIVALENT))
        run.end(
            status=DISCREPANCY if bad else RIGHT, caught=caught, equivalent=equivalent, survived=len(bad), speed=tally.speed
        )
    _print(Console(), request, names, records)
    Console().print(tally.described, highlight=False, soft_wrap=True)
    return DISCREPANCY if bad else RIGHT


def _execute(request: Request, bench: Bench, names: Sequence[str], done: set[str], tally: Tally) -> Iterator[Record]:
    """Run the mutants of all items that are not ``done``; each gives its record once it is caught or has had all cases."""

    def settled(task: Task, outcome: Outcome, checks: dict[int, int]) -> tuple[list[Record], Task | None]:
        tally.time(outcome.work)
        return _settle(task, outcome, checks)

    tasks = []
    for name in sorted(names, key=lambda name: -len(mutants(bench.name, name))):
        alive = tuple(n for n, mutant in enumerate(mutants(bench.name, name)) if mutant.id not in done)
        if alive:
            tasks.append(Task(bench.name, name, alive, request.level, request.seed, 0, FIRST_BATCH))
    if len(tasks) == 1:
        checks: dict[int, int] = {}
        task: Task | None = tasks[0]
        while task:
            records, task = settled(task, attempt(task), checks)
            yield from records
        return
    counts: dict[str, dict[int, int]] = {name: {} for name in names}
    with workers.pool(workers.count()) as pool:
        waiting, running = tasks[::-1], dict[Future[Outcome], Task]()
        while waiting or running:
            # One unit of an item at a time, since the next depends on it; two items keep two cores busy.
            while waiting and len(running) < workers.count():
                task = waiting.pop()
                running[pool.submit(attempt, task)] = task
            for future in wait(running, return_when=FIRST_COMPLETED).done:
                task = running.pop(future)
                records, following = settled(task, future.result(), counts[task.item])
                yield from records
                if following:
                    waiting.append(following)


def _settle(task: Task, outcome: Outcome, checks: dict[int, int]) -> tuple[list[Record], Task | None]:
    """The records of mutants that are decided now, and the next unit of work on the others."""
    for number, count in outcome.checks.items():
        checks[number] = checks.get(number, 0) + count
    alive = tuple(number for number in task.alive if number not in outcome.caught)
    records = [_record(task, number, checks[number], outcome.caught[number]) for number in outcome.caught]
    ended = (task.stop or 0) >= len(_cases(task.bench, task.item, task.level, task.seed))
    if ended or not alive:
        return records + [_record(task, number, checks[number], None) for number in alive], None
    start = task.stop or 0
    return records, Task(task.bench, task.item, alive, task.level, task.seed, start, start + (BATCH if start else FIRST_BATCH))


def _record(task: Task, number: int, checks: int, caught: Record | None) -> Record:
    mutant = mutants(task.bench, task.item)[number]
    right = mutant.kind == CONTROL
    status = (REFUSED if caught else PASSED) if right else CAUGHT if caught else SURVIVED
    if mutant.equivalent:
        status = MISNAMED if caught else EQUIVALENT
    record: Record = {
        "id": mutant.id, "item": task.item, "bug": mutant.name, "group": mutant.kind, "part": mutant.part,
        "thread": mutant.thread, "status": status, "by": None, "ratio": None, "cases": checks, "message": [],
        "why": mutant.equivalent.why if mutant.equivalent else "",
    }  # fmt: skip
    return record | (caught or {})


def _unmatched(bench: Bench, name: str) -> Iterator[Record]:
    """A record of each declared equivalence that is of nothing."""
    used = {id(mutant.equivalent) for mutant in mutants(bench.name, name)}
    for equivalent in bench.registry[name].equivalents:
        if id(equivalent) not in used:
            yield {
                "id": f"{name}-equivalent-{equivalent.within}-{equivalent.edit}", "item": name, "bug": equivalent.edit,
                "group": EQUIVALENT, "part": equivalent.within, "thread": "", "status": MISNAMED, "by": None, "ratio": None,
                "cases": 0, "message": ["an equivalence is declared of an edit that does not occur"], "why": equivalent.why,
            }  # fmt: skip


def _print(console: Console, request: Request, names: Any, records: list[Record]) -> None:
    table = Table(title=f"{request.suite} prove, level {request.level}")
    for heading in ("item", "planted", "generic", "edits", "caught", "equivalent", "reference"):
        table.add_column(heading, justify="left" if heading == "item" else "right")
    for name in names:
        mine = [r for r in records if r["item"] == name]
        bugs = [r for r in mine if r["group"] not in (CONTROL, EQUIVALENT)]
        planted, generic = (sum(r["group"] == kind for r in bugs) for kind in (PLANTED, GENERIC))
        caught, equivalent = (sum(r["status"] == status for r in bugs) for status in (CAUGHT, EQUIVALENT))
        control = next(r["status"] for r in mine if r["group"] == CONTROL)
        counts = (planted, generic, len(bugs) - planted - generic, caught, equivalent)
        table.add_row(name, *map(str, counts), control)
    console.print(table)
    for record in records:
        if record["status"] in BAD:
            lines = [f"{record['item']}: {record['bug']!r} {record['status']} ({record['cases']} checks)", *record["message"]]
            console.print("\n".join(lines), style="red", highlight=False, markup=False, soft_wrap=True)
