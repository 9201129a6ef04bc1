"""The command ``lossbench time``: forward and forward with backward of every loss, on every device asked for."""

from __future__ import annotations

import reference
from benchkit.request import Request
from benchkit.timing import Kernel, Point, chosen_dtypes, chosen_items, chosen_sizes, time_points
from lossbench import kernels


def points(request: Request) -> list[Point]:
    """Every point of the run, small sizes first, so that a run that has to stop early has all the small ones."""
    return [
        Point(item.name, item.slug, operation, "eager", device, dtype, size)
        for size in chosen_sizes(request)
        for item in chosen_items(request, reference.LOSSES)
        for dtype in chosen_dtypes(request)
        for device in request.devices
        for operation in kernels.OPERATIONS
    ]


def time(request: Request) -> int:
    """Time the losses, write ``time`` records and print the table; returns the exit status."""

    def build(point: Point) -> Kernel:
        item = reference.LOSSES[point.item]
        return kernels.build(item, point.operation, point.device, point.dtype, point.size, request.seed)

    return time_points(request, points(request), build)
