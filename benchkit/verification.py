"""The run of a verification, the same for losses and optimizers: share out the cases, write the records, apply the waivers,
make reproducers, and say how it ended."""

from __future__ import annotations

import datetime
import functools
import itertools
from collections import Counter, deque
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from concurrent.futures import Future
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table

from benchkit import findings, workers
from benchkit.attribute import load, load_attribute, torch_class
from benchkit.exercised import Exercised
from benchkit.judge import ABSENT, ERROR, FAIL, OTHER, SHARED, UNSUPPORTED, WAIVED, WORST_FIRST
from benchkit.request import DISCREPANCY, DTYPES, RIGHT, Request
from benchkit.results import Run
from benchkit.tally import Stopwatch, Tally, Work
from benchkit.waivers import Waivers

Record = dict[str, Any]
Done = tuple[list[Record], Work]
BATCH = 60  # cases in one unit of work: some tenths of a second
INLINE = 400  # up to so many cases starting worker processes costs more than it saves
AHEAD = 64  # units in flight for each process: enough work while this one writes reproducers
PRINTED = 12  # failures printed in full; all are in the results file


@dataclass(frozen=True)
class Bench:
    """What a side brings to its verification.

    ``name`` is where this object lies, as ``module:attribute``, so that a worker process finds it. ``cases(item, level,
    dtypes, device, seed)`` yields the cases of an item; a case names its checks with ``id(check)``, and says which one alone
    it has, if it has one alone, in ``only``. ``subject(item, device, constructor)`` wraps a class for testing,
    ``reproduce(case, check, subject, impl)`` writes a standalone script (None if it does not fail). Of the checks that are
    ``optional`` a class in torch's place may support none. ``formula(item, **parts)`` is a subject made of the reference,
    some of its parts replaced by wrong ones. ``classes()`` are the paths of all classes of this side that the installed torch
    has. ``generic(item)`` are wrong versions that follow from what kind of item it is: names, each with a subject.
    ``prepare(case)`` does what concerns the case alone, and gives a function that runs it on a subject, as ``run_case`` does
    on one only. ``for_formulas(case)`` says whether it asks of a formula what no other case asks: a formula has one path,
    refuses nothing and has no life.
    """

    name: str
    registry: Mapping[str, Any]
    checks: Iterable[str]
    cases: Callable[..., Iterable[Any]]
    subject: Callable[..., Any]
    run_case: Callable[[Any, Any, frozenset[str]], Iterable[Record]]
    reproduce: Callable[..., str | None]
    formula: Callable[..., Any]
    optional: Collection[str] = ()
    classes: Callable[[], list[str]] = list
    generic: Callable[[Any], Mapping[str, Callable[[], Any]]] = lambda item: {}
    prepare: Callable[[Any], Callable[[Any], Iterable[Record]]] | None = None
    for_formulas: Callable[[Any], bool] = lambda case: True

    def prepared(self, case: Any) -> Callable[[Any], Iterable[Record]]:
        """A function that runs one case on any subject."""
        return (lambda subject: self.run_case(case, subject, frozenset())) if self.prepare is None else self.prepare(case)


@dataclass(frozen=True)
class Unit:
    """A run of consecutive cases of one item on one device; picklable, so that any process can do it."""

    bench: str
    request: Request
    item: str
    device: str
    start: int
    stop: int
    done: frozenset[str] = frozenset()


@functools.lru_cache(maxsize=64)
def _cases(bench: str, name: str, level: str, dtypes: tuple[str, ...], device: str, seed: int) -> tuple[Any, ...]:
    side = load(bench)
    return tuple(side.cases(side.registry[name], level, dtypes, device, seed))


def cases_of(unit: Unit) -> tuple[Any, ...]:
    """The cases of a unit."""
    request = unit.request
    return _cases(unit.bench, unit.item, request.level, request.dtypes, unit.device, request.seed)[unit.start : unit.stop]


def subject_of(unit: Unit) -> Any:
    """The implementation that a unit tests: torch's class, or the one given in its place."""
    import torch

    torch.set_num_threads(1)  # the tensors are small; the cores are shared out by process
    side, impl = load(unit.bench), unit.request.impl
    item = side.registry[unit.item]
    return side.subject(item, unit.device, load_attribute(impl) if impl else torch_class(item.path))


def work(unit: Unit) -> Done:
    """Do a unit."""
    watch = Stopwatch()
    run_case, subject = load(unit.bench).run_case, subject_of(unit)
    left = [case for index, case in enumerate(cases_of(unit), unit.start) if _crash(unit, index)["id"] not in unit.done]
    records = [record for case in left for record in run_case(case, subject, unit.done)]
    return records, watch.work(len(records))


def verify(request: Request, bench: Bench) -> int:
    """Run a verification and return its exit status: 0 all right (waived counts as right), 1 a discrepancy."""
    console = Console(stderr=True)
    with Run.open(request) as run:
        waivers = Waivers.load(None, run.header["environment"]["torch"], datetime.date.today())
        tally, reproducers = Tally(asked=request.begun), _Reproducers(request, bench, waivers)
        exercised = Exercised(bench.registry[name] for name in request.items or bench.registry)

        def count(record: Record) -> None:
            tally.add(record)
            exercised.add(record)

        def keep(record: Record) -> None:
            count(run.write("check", record.pop("id"), **record))

        for record in run.records:
            if record["kind"] == "check":
                count(record)
                waivers.note(record)
                reproducers.remember(record)
        units, absent = _units(request, bench, run)
        for record in absent:
            keep(record)
        total = sum(unit.stop - unit.start for unit in units)
        columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
        with Progress(*columns, console=console, transient=True) as progress:
            task = progress.add_task(f"{request.suite} verify", total=total)
            for unit, (records, cost) in _execute(units, total):
                tally.time(cost)
                for record in records:
                    _settle(record, waivers, request)
                    reproducers.add(unit, record)
                    waivers.note(record)
                    keep(record)
                progress.advance(task, unit.stop - unit.start)
        for record in _silences(request, bench, tally):
            if record["id"] not in run.done("check"):
                keep(record)
        problems = waivers.problems(_complete(request), whole=request.level == "thorough")
        for problem in problems:
            if problem.split("'")[1] not in run.done("waiver"):
                run.write("waiver", problem.split("'")[1], problem=problem)
        bad = tally.statuses[FAIL] + tally.statuses[ERROR] + len(problems)
        strange = uncovered(bench) if not request.items else []
        run.end(
            status=DISCREPANCY if bad else RIGHT,
            uncovered=strange,
            counts=dict(tally.statuses),
            compared=tally.compared,
            problems=problems,
            speed=tally.speed,
            arguments=exercised.described(),
            waivers=waivers.described(),
            findings=_findings(waivers.used()),
        )
    _print(Console(), request, tally, problems, run.path)
    if strange:
        Console().print(f"uncovered: no declaration speaks of {', '.join(strange)}", highlight=False, soft_wrap=True)
    return DISCREPANCY if bad else RIGHT


def _findings(ids: Iterable[str]) -> dict[str, Record]:
    """What is known of the defects that showed, worst first."""
    return {id: finding.described() for id, finding in findings.load().items() if id in ids}


def uncovered(bench: Bench) -> list[str]:
    """The classes of the installed torch that no declaration covers, as a newer torch may have them."""
    declared = {item.path for item in bench.registry.values()}
    return [path for path in bench.classes() if path not in declared]


def _units(request: Request, bench: Bench, run: Run) -> tuple[list[Unit], list[Record]]:
    """Cut the work into units; for items that the installed torch lacks there is only the record that says so."""
    units: list[Unit] = []
    absent: list[Record] = []
    done = frozenset(run.done("check"))
    for name in request.items or tuple(bench.registry):
        for device in request.devices:
            if request.impl is None and torch_class(bench.registry[name].path) is None:
                record = _bare(name, "", "", device, "absent") | {"status": ABSENT}
                if record["id"] not in done:
                    absent.append(record | {"message": ["the installed torch has no such class"]})
                continue
            count = len(_cases(bench.name, name, request.level, request.dtypes, device, request.seed))
            own = frozenset(id for id in done if id.startswith((bench.registry[name].slug, f"{name}-process")))
            units += [Unit(bench.name, request, name, device, i, min(i + BATCH, count), own) for i in range(0, count, BATCH)]
    return units, absent


def _execute(units: list[Unit], total: int) -> Iterator[tuple[Unit, Done]]:
    """Do the units and give their results in their order, so that the same command writes the same file.

    On the CPU worker processes do them: several where there is enough to do, and one at least for an implementation in
    torch's place, which may bring down the process that it runs in.
    """
    processes = workers.count() if total > INLINE else 1
    parallel = [unit for unit in units if unit.device == "cpu" and (total > INLINE or unit.request.impl)]
    for unit in units:
        if unit not in parallel:
            yield unit, work(unit)
    waiting = deque(parallel)
    while waiting:
        pending: deque[tuple[Unit, Future[Done]]] = deque()
        try:
            with workers.pool(processes) as pool:
                while waiting or pending:
                    while waiting and len(pending) < AHEAD * processes:
                        pending.append((waiting[0], pool.submit(work, waiting[0])))
                        waiting.popleft()
                    unit, future = pending[0]
                    done = future.result()
                    pending.popleft()
                    yield unit, done
        except BrokenProcessPool:
            # A case killed its process. Which one is found by doing the units in flight one case at a time.
            for unit, _ in pending:
                yield from _one_by_one(unit)


def _one_by_one(unit: Unit) -> Iterator[tuple[Unit, Done]]:
    """Every case of a unit on its own, in a process that is replaced when it dies: a crash is the failure of one case."""
    cases = deque(replace(unit, start=index, stop=index + 1) for index in range(unit.start, unit.stop))
    while cases:
        try:
            with workers.pool(1) as pool:
                while cases:
                    done = pool.submit(work, cases[0]).result()
                    yield cases.popleft(), done
        except BrokenProcessPool:
            one = cases.popleft()
            yield one, ([_crash(one, one.start)], Work())


def _crash(unit: Unit, index: int) -> Record:
    """The record of a case that killed its process."""
    return _bare(unit.item, "process", "", unit.device, f"case{index}-crash") | {
        "status": FAIL,
        "ratio": float("inf"),
        "wrong": [OTHER],
        "message": [f"{unit.item} killed the process in its case number {index} on {unit.device}"],
    }


def _settle(record: Record, waivers: Waivers, request: Request) -> None:
    """Give a failed check its waiver, if it has one: waived for torch, shared for an implementation in its place."""
    if record["status"] == FAIL and (waiver := waivers.match(record)):
        record["status"] = SHARED if request.impl else WAIVED
        record["waiver"] = waiver.id
    elif record["status"] == FAIL and (waiver := waivers.match_on_cpu(record)):
        record["waived_on_cpu"] = waiver.id


@dataclass
class _Reproducers:
    """One reproducer for each group of failures that look alike: the first of its item, check, format, path and lane, or the
    first of its path where a waiver says what they have in common. A waived failure of torch has the script of its finding:
    making one for each would take as long as the checks."""

    request: Request
    bench: Bench
    waivers: Waivers
    known: Mapping[str, findings.Finding] = field(default_factory=findings.load)
    files: dict[tuple[str, ...], str | None] = field(default_factory=dict)

    def remember(self, record: Mapping[str, Any]) -> None:
        """Take note of a record of the run that is continued."""
        if record["status"] in (FAIL, WAIVED, SHARED):
            self.files.setdefault(self._group(record), record["repro"])

    @staticmethod
    def _group(record: Mapping[str, Any]) -> tuple[str, ...]:
        if record["lane"] == "contract":  # one clause of an error contract says nothing of another
            return tuple(str(record[n]) for n in ("item", "check", "dtype", "device", "path", "lane", "variant", "waiver"))
        names = ("check", "dtype", "lane", "reduction") if record["waiver"] is None else ("waiver",)
        return tuple(str(record[n]) for n in ("item", "device", "path", *names))

    def add(self, unit: Unit, record: Record) -> None:
        if record["status"] not in (FAIL, WAIVED, SHARED):
            return
        group = self._group(record)
        if group not in self.files:
            known = self._known(record)
            text = self._text(unit, record["id"]) if known is None else known.reproducer
            self.files[group] = None if text is None else self._write(known.id if known else record["id"], text)
        record["repro"] = self.files[group]

    def _text(self, unit: Unit, id: str) -> str | None:
        for case in cases_of(unit):
            for check in self.bench.checks:
                if case.id(check) == id and getattr(case, "only", check) == check:
                    return self.bench.reproduce(case, check, subject_of(unit), unit.request.impl)
        return None

    def _known(self, record: Record) -> findings.Finding | None:
        """The finding of a waived failure of torch."""
        return self.known.get(self.waivers.finding(record["waiver"])) if record["status"] == WAIVED else None

    def _write(self, id: str, text: str) -> str:
        # The id holds brackets and equals signs; a file name that every system takes does not.
        safe = "".join(c if c.isalnum() or c in "-_." else "_" for c in id)[:180]
        path = Path("repro") / f"{safe}.py"
        (self.request.reports / path).parent.mkdir(parents=True, exist_ok=True)
        (self.request.reports / path).write_text(text, encoding="utf-8")
        return str(path)


def _bare(item: str, check: str, dtype: str, device: str, what: str) -> Record:
    """A record that belongs to no case."""
    return {
        "id": "-".join(filter(None, (item, check, dtype, device, what))), "item": item, "check": check, "device": device,
        "dtype": dtype, "path": "", "lane": "", "reduction": "", "options": {}, "variant": "", "shape": [], "status": ERROR,
        "compared": 0, "telling": 0, "ratio": None, "wrong": [], "waiver": None, "repro": None, "message": [],
    }  # fmt: skip


def _silences(request: Request, bench: Bench, tally: Tally) -> Iterator[Record]:
    """Errors for what would pass without having said anything: a check that could not tell right from wrong, one that an
    implementation in torch's place never supports, a run that compared nothing (unless torch has none of the items), an item of
    which a format or a device was left out."""
    for item, check, dtype, device in tally.silent():
        sentence = f"{item} {check} {dtype} on {device}: no comparison could have told right from wrong"
        yield _bare(item, check, dtype, device, "silent") | {"message": [sentence]}
    for item, check, device in tally.never() if request.impl else []:
        if check in bench.optional:
            continue
        sentence = f"{item} {check} on {device}: unsupported throughout, so that nothing is known of it"
        yield _bare(item, check, "", device, "never") | {"message": [sentence]}
    if not tally.compared and set(tally.statuses) != {ABSENT}:
        names, tried = list(request.items or bench.registry), sum(tally.statuses.values())
        sentence = f"nothing was compared: of {tried} checks none could be made ({tally.statuses[UNSUPPORTED]} unsupported)"
        yield _bare(names[0], "", "", request.devices[0], "nothing") | {"message": [f"{', '.join(names)}: {sentence}"]}
        return
    for name, device in itertools.product(request.items or bench.registry, request.devices):
        for dtype in () if tally.by_item[name][ABSENT] else request.dtypes:
            if (name, dtype, device) not in tally.met:
                sentence = f"{name} {dtype} on {device}: there was no case of it"
                yield _bare(name, "", dtype, device, "missing") | {"message": [sentence]}


def _complete(request: Request) -> bool:
    """Whether the items that ran, ran whole, so that a waiver without a failure is out of date; another seed might miss it."""
    return request.impl is None and request.level != "quick" and request.seed == 0 and set(request.dtypes) == set(DTYPES)


def _print(console: Console, request: Request, tally: Tally, problems: list[str], path: Path) -> None:
    """The failures in full, the table of items, the waivers to mend, and where everything is."""
    for record in tally.failures[:PRINTED]:
        lines = [*record["message"]][:5]
        if record.get("repro"):
            lines.append(f"reproducer {request.reports / record['repro']}")
        console.print("\n".join(lines), style="red", highlight=False, markup=False, soft_wrap=True)
        console.print()
    if len(tally.failures) > PRINTED:
        console.print(f"... and {len(tally.failures) - PRINTED} more failures in {path}", highlight=False)
    table = Table(title=f"{request.suite} verify, level {request.level}, seed {request.seed}")
    shown = [s for s in WORST_FIRST if tally.statuses[s]]
    for heading in ("item", *shown, "worst passing ratio"):
        table.add_column(heading, justify="left" if heading == "item" else "right")
    for item, counts in tally.by_item.items():
        table.add_row(item, *(str(counts[s]) if counts[s] else "" for s in shown), f"{tally.worst[item]:.2f}")
    console.print(table)
    for problem in problems:
        console.print(problem, style="red", highlight=False, markup=False, soft_wrap=True)
    bad = tally.statuses[FAIL] + tally.statuses[ERROR]
    unsupported = f", {tally.statuses[UNSUPPORTED]} unsupported" if tally.statuses[UNSUPPORTED] else ""
    excused = (
        f", {tally.statuses[WAIVED] + tally.statuses[SHARED]} waived or shared"
        if tally.statuses[WAIVED] + tally.statuses[SHARED]
        else ""
    )
    if tally.seconds:
        console.print(tally.described, highlight=False, soft_wrap=True)
    known = Counter(record["waived_on_cpu"] for record in tally.failures if "waived_on_cpu" in record)
    if known:
        listed = ", ".join(f"{id} ({count})" for id, count in known.most_common())
        console.print(
            f"{known.total()} of the discrepancies are as waived on the CPU: {listed}", highlight=False, soft_wrap=True
        )
    verdict = "all right" if not bad and not problems else f"{bad} discrepancies, {len(problems)} waivers to mend"
    console.print(
        f"{verdict}: {sum(tally.statuses.values())} checks, {tally.compared} numbers compared{excused}{unsupported}; {path}",
        highlight=False,
        soft_wrap=True,
    )
