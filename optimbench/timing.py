"""The command ``optimbench time``: one step of every optimizer by each of its implementations, on every device asked for."""

from __future__ import annotations

import reference
from benchkit.request import Request
from benchkit.timing import Kernel, Point, chosen_dtypes, chosen_items, chosen_sizes, time_points
from optimbench import kernels


def points(request: Request) -> list[Point]:
    """Every point of the run, small sizes first, so that a run that has to stop early has all the small ones."""
    return [
        Point(item.name, item.slug, "step", path, device, dtype, size)
        for size in chosen_sizes(request)
        for item in chosen_items(request, reference.OPTIMIZERS)
        for dtype in chosen_dtypes(request)
        for device in request.devices
        for path in item.paths
    ]


def time(request: Request) -> int:
    """Time the optimizers, write ``time`` records and print the table; returns the exit status."""

    def build(point: Point) -> Kernel:
        item = reference.OPTIMIZERS[point.item]
        return kernels.build(item, point.path, point.device, point.dtype, point.size, request.seed)

    return time_points(request, points(request), build)
