"""The command ``lossbench time``: forward and forward with backward of every loss, on every device asked for."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import reference
from benchkit.attribute import load_attribute
from benchkit.points import AGAINST, ALL_SIZES, DTYPES, MIDDLE, NUMPY, SIZES, Axes, Grid, Kernel, Point, plan
from benchkit.request import Request
from benchkit.spec import Loss
from benchkit.timing import time_points
from lossbench import kernels
from lossbench.examples import EXAMPLES, example

GOALS = {"elementwise": 5.0, "alignment": 3.0}  # how many times torch's time the numpy reference may take, by tag or family


def grid(item: Loss, device: str) -> Grid:
    """The axes of a loss: the paths that there are on the device, the lengths of its rows, and the document's own example."""
    on_accelerator = ("graph", *((item.library[0], kernels.OWN) if item.library else ())) if device != "cpu" else (NUMPY,)
    document = {kernels.DOCUMENT: size} if (size := _document_size(item)) >= SIZES[0] else {}
    rows = {kernels.label(lengths): lengths for lengths in kernels.row_lengths(item)}

    def has(point: Point) -> bool:
        if point.path == NUMPY and (point.operation != "forward" or point.dtype not in ("float32", "float64")):
            return False
        return point.fixed or point.size >= kernels.least_size(item, rows[point.workload])

    return Grid(kernels.OPERATIONS, ("eager", "compiled", *on_accelerator), (*rows, *document), document, has=has)


def goal(item: Loss) -> float | None:
    """How many times the time of torch on the CPU the reference is meant to take at most; None: nobody set a goal."""
    return next((times for name, times in GOALS.items() if name in item.tags or name == item.family), None)


def of_level(grid: Grid, level: str) -> Iterator[Axes]:
    """The products that a level takes: at level standard a base and variations of one axis each, at thorough nearly all."""
    base = grid.base
    beside = tuple(path for path in grid.paths if path not in (*base.paths, "compiled", NUMPY))
    if level == "quick":
        yield replace(base, sizes=(SIZES[0], SIZES[2], MIDDLE))
    elif level == "standard":
        yield base
        yield replace(base, paths=(NUMPY,), workloads=(*grid.fixed,) or base.workloads, sizes=(MIDDLE,))
        yield replace(base, dtypes=DTYPES, sizes=(MIDDLE,))
        yield replace(base, paths=beside)
        yield replace(base, workloads=grid.workloads, sizes=(MIDDLE,))
        yield replace(base, paths=("compiled",), operations=base.operations[-1:], sizes=(MIDDLE,))  # compilers are slow: last
    else:
        eager = tuple(path for path in grid.paths if path != NUMPY)
        yield Axes(grid.operations, eager, grid.workloads, DTYPES, ALL_SIZES)
        yield Axes(grid.operations, (NUMPY,), grid.workloads, DTYPES[:1], tuple(size for size in SIZES if size <= MIDDLE))


def points(request: Request) -> list[Point]:
    """Every point of the run. The reference is timed where a goal is set for it, unless it is asked for."""
    found = plan(request, reference.LOSSES, grid, of_level)
    asked = NUMPY in request.extra.get("path", ())
    return [p for p in found if p.path != NUMPY or asked or goal(reference.LOSSES[p.item]) or request.level == "thorough"]


def time(request: Request) -> int:
    """Time the losses, write ``time`` records and print the table; returns the exit status."""
    other = load_attribute(request.extra["against"], "--against") if "against" in request.extra else None

    def build(point: Point) -> Kernel:
        theirs = point.path.startswith(AGAINST)
        return kernels.build(
            reference.LOSSES[point.item],
            point.operation,
            point.device,
            point.dtype,
            point.size,
            path="eager" if theirs else point.path,
            workload=point.workload,
            constructor=other if theirs else None,
            seed=request.seed,
        )

    return time_points(
        request,
        points(request),
        build,
        goals=lambda point: goal(reference.LOSSES[point.item]),
        items=reference.LOSSES,
    )


def _document_size(item: Loss) -> int:
    return example(item.name).input.numel() if item.name in EXAMPLES else 0
