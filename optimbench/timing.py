"""The command ``optimbench time``: one step of every optimizer by each of its implementations, on every device asked for."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import reference
from benchkit.attribute import load_attribute
from benchkit.points import AGAINST, ALL_SIZES, DTYPES, MIDDLE, SIZES, Axes, Grid, Kernel, Point, plan
from benchkit.request import Request
from benchkit.spec import Optimizer
from benchkit.timing import time_points
from optimbench import kernels
from optimbench.parameters import EQUAL, fixed

LARGEST = 10**7  # sets above this are for level thorough


def grid(item: Optimizer, device: str) -> Grid:
    """The axes of an optimizer: the implementations that there are on the device, and the sets of parameters."""
    sets = fixed(item)
    others = ("compiled", "graph") if device != "cpu" else ("compiled",)
    return Grid(("step",), (*item.paths, *others), (EQUAL, *sets), sets, usual_paths=len(item.paths))


def of_level(grid: Grid, level: str) -> Iterator[Axes]:
    """The products that a level takes. Compiled steps are for thorough but where torch has a fused kernel to compare with."""
    base = grid.base
    small = tuple(name for name, size in grid.fixed.items() if size <= LARGEST)
    if level == "quick":
        yield replace(base, sizes=(SIZES[0], SIZES[2], MIDDLE))
    elif level == "standard":
        yield base
        yield replace(base, workloads=small)
        yield replace(base, dtypes=DTYPES, sizes=(MIDDLE,))
        yield replace(base, paths=tuple(path for path in grid.paths if path == "graph"))
        if "fused" in grid.paths:
            yield replace(base, paths=("compiled",), sizes=(MIDDLE,))
    else:
        yield Axes(grid.operations, grid.paths, grid.workloads, DTYPES, ALL_SIZES)


def points(request: Request) -> list[Point]:
    """Every point of the run."""
    return plan(request, reference.OPTIMIZERS, grid, of_level)


def time(request: Request) -> int:
    """Time the optimizers, write ``time`` records and print the table; returns the exit status."""
    other = load_attribute(request.extra["against"], "--against") if "against" in request.extra else None

    def build(point: Point) -> Kernel:
        return kernels.build(
            reference.OPTIMIZERS[point.item],
            point.path,
            point.device,
            point.dtype,
            point.size,
            workload=point.workload,
            constructor=other if point.path.startswith(AGAINST) else None,
            seed=request.seed,
        )

    return time_points(request, points(request), build, items=reference.OPTIMIZERS)
