"""Timing: what is measured how long, what is left out and why, and what a table of times says about two devices.

Times come from the one sampler (``benchkit.sampling``), and every run begins with a self-test of it (``benchkit.self_test``). A
point that would take too long, that torch refuses or that does not fit is recorded as skipped, with the reason. torch is
imported inside the functions.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from rich import box
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

from benchkit.conditions import conditions
from benchkit.grid import generator
from benchkit.request import RIGHT, Request
from benchkit.results import Record, Run
from benchkit.roof import roof
from benchkit.sampling import Clock, clock, sample
from benchkit.self_test import self_test, sentences

SIZES = (10**3, 10**4, 10**5, 10**6, 10**7)
LONGEST_POINT_S = 2.0  # one execution of a point on the CPU; a row does not grow beyond it
WHOLE_COST = 6  # executions that one slow point costs in all: warm-up, block size, three samples, and one to spare
SHORTEST_RUN_S = 20.0  # no run has less time than this in all, however few its points


@dataclass(frozen=True)
class Effort:
    """How long one point is measured at most, how long a whole run may take for each of its points (None: no limit), and how
    long each question of the self-test may take, in seconds."""

    budget_s: float
    per_point_s: float | None
    self_test_s: float

    def allowed(self, points: int) -> float:
        """The seconds that a run of so many points may take."""
        return math.inf if self.per_point_s is None else max(SHORTEST_RUN_S, self.per_point_s * points)


EFFORTS = {
    "quick": Effort(0.04, 0.15, 0.5),
    "standard": Effort(0.1, 0.42, 2.0),
    "thorough": Effort(1.0, None, 4.0),
}


@dataclass(frozen=True)
class Point:
    """One cell of the table: which operation of which item, where, in which dtype and for how many elements."""

    item: str
    slug: str
    operation: str
    path: str
    device: str
    dtype: str
    size: int

    @property
    def id(self) -> str:
        return f"{self.slug}-{self.operation}-{self.dtype}-{self.device}-{self.path}-n{self.size}"

    @property
    def row(self) -> tuple[str, ...]:
        return (self.item, self.operation, self.path, self.device, self.dtype)


@dataclass(frozen=True)
class Kernel:
    """A point made ready to run: inputs lie on the device.

    ``bytes`` is a lower bound of the memory traffic of one run, 0: unknown. ``changes`` holds the tensors that a run changes.
    """

    run: Callable[[], Any]
    elements: int
    bytes: int
    changes: Sequence[Any] = ()


def chosen_sizes(request: Request) -> list[int]:
    """The numbers of elements of the run in ascending order: those of ``--size``, or 1e3 to 1e7."""
    return sorted(set(request.extra.get("size") or SIZES))


def chosen_dtypes(request: Request) -> tuple[str, ...]:
    """float32, unless the user named dtypes."""
    return request.dtypes if request.extra.get("dtypes_given") else ("float32",)


def chosen_items(request: Request, items: Mapping[str, Any]) -> list[Any]:
    """The declarations of the run: those asked for, or all."""
    return [items[name] for name in request.items or items]


def time_points(
    request: Request, points: Sequence[Point], build: Callable[[Point], Kernel], console: Console | None = None
) -> int:
    """Measure every point, small sizes first, write one ``time`` record for each and print the table; returns the exit status.

    Points that the results file already holds are not measured again.
    """
    effort = EFFORTS[request.level]
    allowed = effort.allowed(len(points))
    too_late = f"the {duration(allowed)} that a run of level {request.level} may take were used up"
    columns = (TextColumn("{task.description:<42}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Run.open(request) as run, Progress(*columns, console=Console(stderr=True), transient=True) as progress:
        records = [record for record in run.records if record["kind"] == "time"]
        clocks = {device: clock(device) for device in dict.fromkeys(point.device for point in points)}
        tests = [record for record in run.records if record["kind"] == "self_test"]
        tests += [_tested(run, device, clocks[device], effort, request.seed) for device in clocks]
        doubts = {record["device"]: record["problems"] for record in tests}  # of each device the last test counts
        deadline = time.monotonic() + allowed
        last = {_row(record): (record["size"], record["median_s"]) for record in records if record["status"] == "measured"}
        bar = progress.add_task("", total=len(points))
        for point in points:
            progress.update(bar, description=f"{point.item} {point.operation} {point.size:,}")
            if point.id not in run.done("time"):
                expected = _expected(last.get(point.row), point.size)
                taken = _take(point, build, clocks[point.device], expected, effort, deadline, too_late)
                record = run.write("time", point.id, **(_named(point) | taken), doubts=doubts[point.device])
                records.append(record)
                if record["status"] == "measured":
                    last[point.row] = (point.size, record["median_s"])
            progress.advance(bar)
        counts = {status: sum(record["status"] == status for record in records) for status in ("measured", "skipped")}
        run.end(**counts)
        where = run.header["environment"]["devices"]
    show(records, where, console or Console(), tests)
    return RIGHT


def _tested(run: Run, device: str, clock: Clock, effort: Effort, seed: int) -> Record:
    """Ask the self-test of a device and write its record; what is wrong with it is the mark of every row of the device."""
    tests = [record for record in run.records if record["kind"] == "self_test" and record["device"] == device]
    name = f"{device}-{len(tests) + 1}"  # a continued run asks again
    found = self_test(device, clock, generator("self-test", name, seed), effort.self_test_s)
    return run.write("self_test", name, device=device, **found.described(), **conditions())


def _take(
    point: Point,
    build: Callable[[Point], Kernel],
    clock: Clock,
    expected: float,
    effort: Effort,
    deadline: float,
    too_late: str,
) -> dict[str, Any]:
    """The fields of one record: a measurement, or why there is none."""
    import torch

    if point.device == "cpu" and expected > LONGEST_POINT_S:
        return _skipped(f"would take about {duration(expected)}; a point on the CPU may take {duration(LONGEST_POINT_S)}")
    if time.monotonic() + WHOLE_COST * expected > deadline:
        return _skipped(too_late)
    try:
        kernel = build(point)
        with torch.enable_grad():
            times = sample(kernel.run, clock, effort.budget_s)
            limit = _limit(point, kernel, clock, effort)
    except (RuntimeError, MemoryError) as error:  # what torch or the machine refuses is a finding, not a crash
        return _skipped(f"{type(error).__name__}: {(str(error) or 'no message').splitlines()[0][:200]}")
    return {
        "status": "measured",
        "elements": kernel.elements,
        **times.described(),
        "bytes": kernel.bytes or None,
        "gb_per_s": kernel.bytes / times.median_s / 1e9 if kernel.bytes else None,
        **limit,
        **conditions(),
    }


def _limit(point: Point, kernel: Kernel, clock: Clock, effort: Effort) -> Mapping[str, Any]:
    """The kernel beside the limit of the machine, where it is known how much it must move."""
    if not kernel.bytes:
        return {}
    rng = generator("roof", point.id)
    return roof(kernel.run, kernel.bytes, point.device, clock, rng, effort.budget_s).described()


def _named(point: Point) -> dict[str, Any]:
    names = ("item", "operation", "path", "device", "dtype", "size")
    return {name: getattr(point, name) for name in names} | {"elements": point.size}


def _skipped(reason: str) -> dict[str, Any]:
    return {"status": "skipped", "reason": reason}


def _row(record: Record) -> tuple[str, ...]:
    return (record["item"], record["operation"], record["path"], record["device"], record["dtype"])


def _expected(last: tuple[int, float] | None, size: int) -> float:
    """Seconds for ``size`` elements if the time grows with the size from the last measured point of the row; 0 without one."""
    return last[1] * size / last[0] if last else 0.0


@dataclass(frozen=True)
class Comparison:
    """The CPU against another device for one operation: ``ratios[size]`` is CPU time / device time, above 1 the device wins.

    ``wins_from`` is the smallest size from which on the device is faster at every size measured on both, None: never.
    """

    item: str
    operation: str
    path: str
    dtype: str
    device: str
    ratios: dict[int, float]
    wins_from: int | None


def compare_devices(records: Iterable[Record]) -> list[Comparison]:
    """Set the times of every other device against those of the CPU, row by row, at the sizes that both measured."""
    medians: dict[tuple[str, ...], dict[int, float]] = {}
    for record in records:
        if record["status"] == "measured":
            medians.setdefault(_row(record), {})[record["size"]] = record["median_s"]
    found = []
    for (item, operation, path, device, dtype), times in medians.items():
        cpu = medians.get((item, operation, path, "cpu", dtype), {})
        common = sorted(set(cpu) & set(times))
        if device == "cpu" or not common:
            continue
        ratios = {size: cpu[size] / times[size] for size in common}
        wins_from = None
        for size in reversed(common):
            if ratios[size] <= 1.0:
                break
            wins_from = size
        found.append(Comparison(item, operation, path, dtype, device, ratios, wins_from))
    return found


def without_accelerator(devices: Mapping[str, str], timed: Iterable[str]) -> str:
    """The plain sentence on why no accelerator was timed, empty where one was: ``devices`` names what the machine has."""
    if any(device != "cpu" for device in timed):
        return ""
    others = [f"{device} ({name})" for device, name in devices.items() if device != "cpu"]
    if others:
        return f"Only the CPU was timed; this machine also has {', '.join(others)}: ask for it with --device."
    return "No CUDA device was there: only the CPU was timed, and nothing is compared with a GPU."


def duration(seconds: float) -> str:
    """A time to three significant digits with its unit: ``12.3 µs``."""
    if seconds >= 100:
        return f"{seconds:.0f} s"
    for unit, scale in (("s", 1.0), ("ms", 1e-3), ("µs", 1e-6)):
        if seconds >= scale * 0.9995:
            return f"{seconds / scale:#.3g}".rstrip(".") + f" {unit}"
    return f"{seconds * 1e9:#.3g}".rstrip(".") + " ns"


def rate_text(gb_per_s: float) -> str:
    """GB/s to two significant digits, whole from 100 on."""
    return f"{gb_per_s:,.0f}" if gb_per_s >= 99.5 else f"{gb_per_s:#.2g}".rstrip(".")


def size_text(size: int) -> str:
    """A size as people write it: ``1e6`` for a power of ten, else with thousands separators."""
    digits = str(size)
    return f"1e{len(digits) - 1}" if size >= 1000 and digits.strip("0") == "1" else f"{size:,}"


def show(records: Sequence[Record], devices: Mapping[str, str], console: Console, self_tests: Sequence[Record] = ()) -> None:
    """Print what the self-tests said, one table for each device and dtype, items with their rows below, one column for each
    size; then the comparison."""
    for record in self_tests:
        for number, sentence in enumerate(sentences(record)):
            console.print(sentence, style="red" if number else None, highlight=False)
    for device, dtype in dict.fromkeys((record["device"], record["dtype"]) for record in records):
        chosen = [record for record in records if (record["device"], record["dtype"]) == (device, dtype)]
        threads = {str(record["threads"]) for record in chosen if record["status"] == "measured"}
        title = f"Median time, {dtype} on {device} ({devices.get(device, 'unknown')})"
        title += f", CPU threads: {' or '.join(sorted(threads))}" if threads else ""
        sizes = sorted({record["size"] for record in chosen})
        table = _table(title, [*map(size_text, sizes), "GB/s", "of limit"])
        for item, rows in _by_item(chosen).items():
            table.add_row(f"[bold]{item}[/bold]")
            for what, cells in rows.items():
                measured = [cells[size] for size in sizes if size in cells and cells[size]["status"] == "measured"]
                rate, share = (measured[-1].get(name) if measured else None for name in ("gb_per_s", "roof_share"))
                limit = f"{100.0 * share:.0f} %" if share else ""
                table.add_row(f"  {what}", *(_cell(cells.get(size)) for size in sizes), rate_text(rate) if rate else "", limit)
        console.print(table)
    console.print(
        "GB/s is the least possible traffic, at the largest size that was measured; its limit is a sum of two arrays into a "
        "third of as many bytes, timed in pairs with it.",
        soft_wrap=True,
    )
    if any(record["status"] == "skipped" for record in records):
        console.print("- is a point that was not run; the results file says why.")
    missing = without_accelerator(devices, {record["device"] for record in records if record["status"] == "measured"})
    if missing:
        console.print(missing)
    comparisons = compare_devices(records)
    if comparisons:
        _show_comparisons(comparisons, sorted({record["size"] for record in records}), console)


def _table(title: str, columns: Iterable[str]) -> Table:
    """A table with one wide column and narrow numbers, for a terminal of 80 columns."""
    table = Table(title=title, title_justify="left", box=box.SIMPLE_HEAD, pad_edge=False, padding=(0, 1, 0, 0))
    table.add_column("item", no_wrap=True)
    for heading in columns:
        table.add_column(heading, justify="right", no_wrap=True)
    return table


def _by_item(records: Iterable[Record]) -> dict[str, dict[str, dict[int, Record]]]:
    """Records by item, by what was done (the path of a step, the operation of a loss) and by size, in order of the alphabet."""
    found: dict[str, dict[str, dict[int, Record]]] = {}
    for record in sorted(records, key=lambda record: (record["item"].lower(), record["operation"])):
        what = _what(record["operation"], record["path"])
        found.setdefault(record["item"], {}).setdefault(what, {})[record["size"]] = record
    return found


def _what(operation: str, path: str) -> str:
    return operation if path == "eager" else f"{operation} {path}"


def _cell(record: Record | None) -> str:
    return duration(record["median_s"]) if record and record["status"] == "measured" else "-"


def _show_comparisons(comparisons: Sequence[Comparison], sizes: Sequence[int], console: Console) -> None:
    table = _table("CPU time / device time (above 1 the device is faster)", [*map(size_text, sizes), "wins from"])
    for one in comparisons:
        ratios = [f"{one.ratios[size]:.3g}" if size in one.ratios else "-" for size in sizes]
        wins = "never" if one.wins_from is None else size_text(one.wins_from)
        table.add_row(f"[bold]{one.item}[/bold] {one.device} {one.dtype}")
        table.add_row(f"  {_what(one.operation, one.path)}", *ratios, wins)
    console.print(table)
