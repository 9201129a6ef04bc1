"""Timing runs: what is measured how long, beside what, and what is left out and why.

Times come from the one sampler (``benchkit.sampling``), and every run begins with a self-test of it (``benchkit.self_test``). A
point that would take too long, that torch refuses or that does not fit is recorded as skipped, with the reason. torch is
imported inside the functions.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from benchkit import devices, history
from benchkit.compiling import first_line
from benchkit.conditions import KEPT, conditions, free_bytes, keep_memory, threads
from benchkit.cross_check import cross_check, other_clock, spread_evenly
from benchkit.grid import generator
from benchkit.pairs import FASTER, SLOWER, Paired, compare
from benchkit.points import AGAINST, EFFORTS, NUMPY, Effort, Kernel, Point, absent_items
from benchkit.quantities import duration
from benchkit.request import RIGHT, Request, UsageError
from benchkit.results import Record, Run, latest
from benchkit.roof import machine, roof
from benchkit.sampling import Clock, clock, sample
from benchkit.self_test import self_test
from benchkit.time_tables import show

WHOLE_COST = 12  # executions that one slow point costs in all: warm-up, block size, samples, and the pairs with the limit
COPIES = 12  # arrays of its size that a point may need at once: inputs, gradients, states, temporaries
AGAINST_S = 2.0  # seconds for the pairs with an implementation that the user names: here the verdict is what was asked for
BYTES = {"float64": 8, "float32": 4, "bfloat16": 2, "float16": 2}  # of a number
RATIO_WITHIN = 0.05  # how well a ratio is to be known, where the budget allows it

Build = Callable[[Point], Kernel]


@dataclass
class Lab:
    """A run in progress: the points that it can build, the clocks, and what is known so far."""

    request: Request
    build: Build
    goals: Callable[[Point], float | None]
    clocks: dict[str, Clock]
    deadline: float
    taken: dict[str, Record] = field(default_factory=dict)
    slowest: dict[tuple[str, ...], float] = field(default_factory=dict)  # seconds an element, by row

    @property
    def effort(self) -> Effort:
        return EFFORTS[self.request.level]

    def remember(self, record: Record) -> None:
        """Keep a record: what a row cost for an element tells what a larger point of it will."""
        self.taken[record["id"]] = record
        if record["status"] == "measured":
            for row in (_row(record), _row(record)[:-1]):
                self.slowest[row] = record["min_s"] / record["size"]

    def expected(self, point: Point) -> float:
        """Seconds of one execution if the time grows with the size from the last point of the row; 0 where there is none.

        A workload that was not met yet is taken to cost what the others of the row do.
        """
        row = _row(point.described())
        return self.slowest.get(row, self.slowest.get(row[:-1], 0.0)) * point.size


def time_points(
    request: Request,
    points: Sequence[Point],
    build: Build,
    console: Console | None = None,
    goals: Callable[[Point], float | None] = lambda point: None,
    items: Mapping[str, Any] = MappingProxyType({}),
) -> int:
    """Measure every point, small sizes first, write one ``time`` record for each and print the table; returns the exit status.

    Points that the results file already holds are not measured again, but for those that no time was left for. ``goals`` says
    how many times the time of torch the numpy reference may take, ``items`` which there are, of which
    those that torch lacks are told.
    """
    effort = EFFORTS[request.level]
    if request.extra.get("allocator") == KEPT and not keep_memory():
        raise UsageError(f"cannot use --allocator {KEPT}: it needs glibc, and this process has none")
    points, then, surroundings = history.restricted(request, points)
    if request.extra.get("against"):
        points = [replace(point, path=AGAINST + point.path) for point in points if point.path != NUMPY]
    columns = (TextColumn("{task.description:<42}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    deadline = time.monotonic() + effort.allowed_s(len(request.devices)) - effort.reserved_s
    with (
        Run.open(request, compared_with=surroundings) as run,
        Progress(*columns, console=Console(stderr=True), transient=True) as progress,
    ):
        clocks = {device: clock(device) for device in dict.fromkeys(point.device for point in points)}
        lab = Lab(request, build, goals, clocks, deadline)
        records = latest([record for record in run.records if record["kind"] == "time"])
        for record in records:
            lab.remember(record)
        tests = [record for record in run.records if record["kind"] == "self_test"]
        tests += [_tested(run, device, lab) for device in clocks]
        machines = [_machine(run, device, lab) for device in clocks]
        doubts = {record["device"]: record["problems"] for record in tests}  # of each device the last test counts
        absent = absent_items(request, items)
        for name, reason in absent.items():
            if name not in run.done("absent"):
                run.write("absent", name, item=name, reason=reason)
        bar = progress.add_task("", total=len(points))
        for point in points:
            progress.update(
                bar, description=f"{point.item} {point.operation} {point.path} {point.workload} {point.size:,}"[:42]
            )
            again = bool(lab.taken.get(point.id, {}).get("late"))
            if again or point.id not in run.done("time"):
                fields = _measured(lab, point, then) | ({"again": True} if again else {})
                if not (again and fields.get("late")):
                    record = run.write("time", point.id, **fields, doubts=doubts[point.device])
                    records.append(record)
                    lab.remember(record)
            progress.advance(bar)
        progress.update(bar, description="looking again at what has changed")
        records += _second_looks(run, lab, points, then, doubts)
        checks = [record for record in run.records if record["kind"] == "cross_check"]
        checks += _cross_checks(run, lab, [point for point in points if not point.path.startswith(AGAINST)])
        records = latest(records)
        counts = {status: sum(record["status"] == status for record in records) for status in ("measured", "skipped")}
        run.end(**counts)
        header = run.header
    show(records, header, console or Console(), tests, machines, checks, tuple(absent.values()))
    history.keep(request, header)
    return RIGHT


def _measured(lab: Lab, point: Point, then: Mapping[str, Record]) -> dict[str, Any]:
    """The fields of one record, and what has changed since an earlier run where there is one."""
    fields = point.described() | _take(lab, point)
    return fields | history.change(then.get(point.id), fields)


def _second_looks(
    run: Run, lab: Lab, points: Sequence[Point], then: Mapping[str, Record], doubts: Mapping[str, Any]
) -> list[Record]:
    """Measure once more what has become slower or faster since an earlier run: a change that is there is there twice."""
    found = []
    for point in points:
        change = lab.taken.get(point.id, {}).get("change", {})
        if change.get("verdict") not in (SLOWER, FASTER) or "looks" in change or _late(lab, point):
            continue
        fields = _measured(lab, point, then)
        if fields["status"] == "measured":
            fields |= history.seen_twice(change, fields["change"])
            found.append(run.write("time", point.id, **fields, again=True, doubts=doubts[point.device]))
    return found


def _tested(run: Run, device: str, lab: Lab) -> Record:
    """Ask the self-test of a device and write its record; what is wrong with it is the mark of every row of the device."""
    tests = [record for record in run.records if record["kind"] == "self_test" and record["device"] == device]
    name = f"{device}-{len(tests) + 1}"  # a continued run asks again
    rng = generator("self-test", name, lab.request.seed)
    found = self_test(device, lab.clocks[device], rng, lab.effort.self_test_s)
    return run.write("self_test", name, device=device, **found.described(), **conditions())


def _machine(run: Run, device: str, lab: Lab) -> Record:
    """The limits of a device that hold for every kernel, measured once in a run."""
    known = [record for record in run.records if record["kind"] == "machine" and record["device"] == device]
    if known:
        return known[0]
    return run.write("machine", device, device=device, **machine(device, lab.clocks[device], lab.effort.self_test_s / 3.0))


def _take(lab: Lab, point: Point) -> dict[str, Any]:
    """The fields of one record: a measurement, or why there is none."""
    import torch

    if reason := _too_much(lab, point):
        return _skipped(reason)
    if reason := _late(lab, point):
        return _skipped(reason) | {"late": True}
    beside = rival(point, lab.clocks)
    theirs = point.path.startswith(AGAINST)
    paired = theirs or point.path == NUMPY
    # What torch or the machine refuses is a finding, not a crash, and so is whatever the class of a user raises.
    refusals: tuple[type[Exception], ...] = (Exception,) if theirs else (RuntimeError, MemoryError)
    try:
        kernel = lab.build(point)
        with torch.enable_grad():
            if reason := _too_slow(lab, point, kernel):
                return _skipped(reason)
            versus, of_pairs = _versus(lab, point, kernel, beside) if beside else ({}, None)
            if paired and of_pairs:
                times, limit = of_pairs, {}
            else:
                times = sample(kernel.run, lab.clocks[point.device], lab.effort.budget_s).described()
                limit = _limit(lab, point, kernel)
    except refusals as error:
        return _skipped(f"{type(error).__name__}: {first_line(error)}")
    median = times["median_s"]
    return {
        "status": "measured",
        "elements": kernel.elements,
        **times,
        "bytes": kernel.bytes or None,
        "gb_per_s": kernel.bytes / median / 1e9 if kernel.bytes else None,
        "operations": kernel.operations or None,
        "compile_s": kernel.compile_s,
        **limit,
        **versus,
        **conditions(),
    }


def _late(lab: Lab, point: Point) -> str:
    """Why a point is left to a continued run: this one has no time left for it."""
    if time.monotonic() + WHOLE_COST * lab.expected(point) <= lab.deadline:
        return ""
    allowed = duration(lab.effort.allowed_s(len(lab.request.devices)))
    return f"the {allowed} that a run of level {lab.request.level} may take were used up"


def _too_much(lab: Lab, point: Point) -> str:
    """Why a point is not begun: its row says that it takes too long, or the memory has no room."""
    expected = lab.expected(point)
    if point.device == "cpu" and expected > lab.effort.longest_s:
        longest = duration(lab.effort.longest_s)
        return f"would take about {duration(expected)}; at level {lab.request.level} a point on the CPU may take {longest}"
    needed, free = COPIES * BYTES[point.dtype] * point.size, free_bytes(point.device)
    if needed > free:
        return f"may need {needed / 1e9:.1f} GB of memory, and {point.device} has {free / 1e9:.1f} GB left"
    return ""


def _too_slow(lab: Lab, point: Point, kernel: Kernel) -> str:
    """Why a point is not measured of whose row nothing was known: one execution, tried twice, takes too long already."""
    longest = lab.effort.longest_s
    if point.device != "cpu" or lab.expected(point):
        return ""
    taken = 0.0
    for _ in range(2):
        taken = lab.clocks[point.device](kernel.run, 1).wall_s
        if taken <= longest:
            return ""
    return f"took {duration(taken)}; at level {lab.request.level} a point on the CPU may take {duration(longest)}"


def rival(point: Point, devices: Iterable[str]) -> Point | None:
    """The point that this one is timed beside: torch's own for the reference or another implementation, the CPU for another
    device; None where a point stands alone."""
    if point.path == NUMPY:
        return replace(point, path="eager")
    if point.path.startswith(AGAINST):
        return replace(point, path=point.path.removeprefix(AGAINST))
    return replace(point, device="cpu") if point.device != "cpu" and "cpu" in devices else None


def _versus(lab: Lab, point: Point, kernel: Kernel, beside: Point) -> tuple[dict[str, Any], dict[str, Any] | None]:
    """The pairs with the rival: ``versus`` holds the ratio of this point's time to the rival's, ``loaded`` that with the
    transfer of the inputs. And what the pairs say of this point alone, None where there were none."""
    there = point.device != beside.device
    known = lab.taken.get(beside.id)
    if there and (known is None or known["status"] != "measured"):
        return {"versus": {"path": beside.path, "device": beside.device, "reason": "there is no time of that point"}}, None
    other = lab.build(beside)
    budget_s = AGAINST_S if point.path.startswith(AGAINST) else lab.effort.pairs_s
    rng = generator("pairs", point.id, lab.request.seed)
    ours, theirs = lab.clocks[beside.device], lab.clocks[point.device] if there else None

    def pairs() -> Paired:
        return compare(other.run, kernel.run, ours, rng, budget_s, second_clock=theirs, precision=RATIO_WITHIN)

    named: dict[str, Any] = {"path": beside.path, "device": beside.device}
    if point.path == NUMPY:
        with threads(1) as usual:  # like numpy, whose ratio to torch would else count the cores of the machine
            found = pairs()
        named |= {"threads": 1, "goal": lab.goals(point)}
        if usual > 1:
            named["all_threads"] = {"threads": usual} | pairs().described()
    else:
        found = pairs()
    theirs_s = {"median_s": found.first.median_s, "samples_s": found.first.kept()}
    result: dict[str, Any] = {"versus": named | found.described() | theirs_s}
    if there and kernel.load:
        # By the clock of the host: what is asked is how long the host waits for the answer.
        moved = compare(other.run, _waited(kernel.loaded, point.device), ours, rng, budget_s, precision=RATIO_WITHIN)
        result["loaded"] = named | moved.described() | {"median_s": moved.second.median_s}
    return result, found.second.described()


def _waited(run: Callable[[], Any], device: str) -> Callable[[], Any]:
    """The run, and the wait for it."""

    def whole() -> Any:
        found = run()
        devices.synchronize(device)
        return found

    return whole


def _limit(lab: Lab, point: Point, kernel: Kernel) -> dict[str, Any]:
    """The kernel beside the limit of the machine, where it is known how much it must move."""
    if not kernel.bytes:
        return {}
    rng = generator("roof", point.id)
    budget_s = lab.effort.pairs_s if lab.request.extra.get("compare") else lab.effort.budget_s  # there the ratio is what counts
    found = roof(kernel, point.device, lab.clocks[point.device], rng, budget_s)
    return dict(found.described())


def _cross_checks(run: Run, lab: Lab, points: Sequence[Point]) -> list[Record]:
    """Ask the other harness of each device for the times of some rows, not of those that the results file holds."""
    found = []
    until = time.monotonic() + 2.0 * lab.effort.reserved_s
    for device, ours in lab.clocks.items():
        theirs = other_clock(device)
        if theirs is None:
            continue
        rows = [p for p in points if p.device == device and p.path not in (NUMPY, "compiled", "graph")]
        rows = [p for p in rows if lab.taken[p.id]["status"] == "measured"]
        for point in spread_evenly(rows, lab.effort.cross_checks):
            late = time.monotonic() + WHOLE_COST * lab.expected(point) > until
            if point.id in run.done("cross_check") or late:
                continue
            rng = generator("cross-check", point.id)
            checked = cross_check(lab.build(point).run, ours, theirs, rng, lab.effort.pairs_s)
            found.append(run.write("cross_check", point.id, **point.described(), **checked))
    return found


def _skipped(reason: str) -> dict[str, Any]:
    return {"status": "skipped", "reason": reason}


def _row(record: Record) -> tuple[str, ...]:
    """What the points have in common whose times grow with the size; the workload comes last."""
    return tuple(str(record[name]) for name in ("item", "operation", "path", "device", "dtype", "workload"))
