"""Points of a timing run: the cells of its tables, what makes one ready to run, and which of them a level takes.

A level takes several products of axes: a base, and variations of one axis each. Where the user chose values of any axis, it is
the product of what was chosen with the usual values of the other axes.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, fields, replace
from typing import Any

from benchkit.attribute import lacking, suggestion, there
from benchkit.request import Request, UsageError

SIZES = (10**3, 10**4, 10**5, 10**6, 10**7)
ALL_SIZES = (*SIZES, 10**8)
MIDDLE = 10**6  # the size at which one axis is varied
DTYPES = ("float32", "bfloat16", "float16")
NUMPY = "numpy"  # the path of the reference, which is timed beside torch
FIGURES = "Timing"  # the heading under which figures of times show
AGAINST = "against "  # before the path of torch beside which another implementation is timed


@dataclass(frozen=True)
class Effort:
    """How long one point is measured at most, how long a whole run may take (None: no limit), how long each question of the
    self-test may take, how long one execution on the CPU may take, beyond which a row does not grow, and how long two
    operations are paired, in seconds; and how many rows are cross-checked."""

    budget_s: float
    run_s: float | None
    self_test_s: float
    longest_s: float
    pairs_s: float
    cross_checks: int

    @property
    def reserved_s(self) -> float:
        """The seconds that are kept for the other harnesses, which come last."""
        return self.cross_checks * self.pairs_s

    def allowed_s(self, devices: int) -> float:
        """The seconds that a run may take: a device beside the CPU has twice as many, since its points are paired with it."""
        return math.inf if self.run_s is None else self.run_s * (2 * devices - 1)


EFFORTS = {
    "quick": Effort(0.03, 40.0, 0.5, 0.1, 0.2, 2),
    "standard": Effort(0.08, 300.0, 1.5, 0.5, 0.6, 6),
    "thorough": Effort(1.0, None, 4.0, 4.0, 2.0, 20),
}


@dataclass(frozen=True)
class Point:
    """One cell of the table: which operation of which item, by which path, where, in which dtype and on what.

    ``workload`` says what the number of elements does not: the lengths of a row, ``C=1000``, or a set of parameters, ``MLP``.
    A ``fixed`` workload has a size of its own.
    """

    item: str
    slug: str
    operation: str
    path: str
    device: str
    dtype: str
    size: int
    workload: str = ""
    fixed: bool = False

    @property
    def id(self) -> str:
        made_of = f"-{self.workload.replace(' ', '')}" if self.workload else ""
        return f"{self.slug}-{self.operation}-{self.dtype}-{self.device}-{self.path}{made_of}-n{self.size}"

    def described(self) -> dict[str, Any]:
        """The fields of a record."""
        return asdict(self) | {"elements": self.size}

    @classmethod
    def of(cls, record: Mapping[str, Any]) -> Point:
        """The point that a record is of."""
        return cls(**{one.name: record[one.name] for one in fields(cls)})


@dataclass(frozen=True)
class Kernel:
    """A point made ready to run: inputs lie on the device.

    ``bytes`` is a lower bound of the memory traffic of one run, ``operations`` its arithmetic; 0: unknown. ``held`` is the
    memory that it moves them from and to, 0: as much as is moved. ``changes`` holds the tensors that a run changes in place.
    ``load`` brings the inputs from the host to the device once more, where that is another place. ``compile_s`` is how long the
    compiler took, where there was one.
    """

    run: Callable[[], Any]
    elements: int
    bytes: int
    changes: Sequence[Any] = ()
    operations: float = 0.0
    load: Callable[[], Any] | None = None
    compile_s: float | None = None
    held: int = 0

    @property
    def loaded(self) -> Callable[[], Any]:
        """The run with the transfer of its inputs."""
        assert self.load is not None
        return lambda: (self.load(), self.run())  # type: ignore[misc]


Axis = tuple[str, ...]


@dataclass(frozen=True)
class Axes:
    """The values of every axis whose product is measured. Workloads that are fixed bring their own size."""

    operations: Axis
    paths: Axis
    workloads: Axis
    dtypes: Axis = DTYPES[:1]
    sizes: tuple[int, ...] = SIZES


@dataclass(frozen=True)
class Grid:
    """The values that the axes of one item have on one device, the usual ones first.

    ``fixed`` holds the sizes of the workloads that have their own, ``usual_paths`` says how many paths are measured where
    nobody asks for one, ``has`` whether there is a point of these values (default: all are).
    """

    operations: Axis
    paths: Axis
    workloads: Axis
    fixed: Mapping[str, int]
    usual_paths: int = 1
    has: Callable[[Point], bool] = lambda point: True

    @property
    def base(self) -> Axes:
        """What is measured where nobody asks for anything else."""
        return Axes(self.operations, self.paths[: self.usual_paths], self.workloads[:1])

    def points(self, item: Any, device: str, axes: Axes) -> list[Point]:
        """The product of the axes, as far as there are such points."""
        found = (
            Point(item.name, item.slug, operation, path, device, dtype, size, workload, workload in self.fixed)
            for workload in axes.workloads
            for size in ([self.fixed[workload]] if workload in self.fixed else axes.sizes)
            for dtype in axes.dtypes
            for operation in axes.operations
            for path in axes.paths
            if path in self.paths
        )
        return [point for point in found if self.has(point)]


AXES = ("operation", "path", "workload")  # the options that name values of an axis, which depend on the item
Plan = Callable[[Grid, str], Iterable[Axes]]


def plan(request: Request, items: Mapping[str, Any], grid_of: Callable[[Any, str], Grid], of_level: Plan) -> list[Point]:
    """The points of a run by item and device: those of the products that the level takes, or of what the user chose. Of the
    items those asked for, or all that torch has.

    The first product of all items comes first, then the second; within one small sizes come first. So a run that has to stop
    early has what matters most. UsageError where no item has
    a value that was asked for.
    """
    extra = request.extra
    chosen = there(items, request.items, "to time")
    grids = {(item.name, device): (item, grid_of(item, device)) for item in chosen for device in request.devices}
    for axis in AXES:
        known = list(dict.fromkeys(value for _, grid in grids.values() for value in getattr(grid, f"{axis}s")))
        for value in extra.get(axis, ()):
            if value not in known:
                raise UsageError(
                    f"unknown {axis} {value!r} for time; it must be one of {', '.join(known)}{suggestion(value, known)}"
                )
    free = not set(extra) & {*AXES, "size", "dtypes_given"}
    found: dict[Point, int] = {}
    for (_, device), (item, grid) in grids.items():
        for rank, axes in enumerate(of_level(grid, request.level) if free else [_chosen(request, grid)]):
            for point in grid.points(item, device, axes):
                found.setdefault(point, rank)
    place = {name: number for number, (name, _) in enumerate(grids)}
    return sorted(found, key=lambda p: (found[p], p.size, place[p.item], p.dtype, p.workload, request.devices.index(p.device)))


def _chosen(request: Request, grid: Grid) -> Axes:
    """The values that the user named, and the usual ones of the axes of which none was."""
    extra, axes = request.extra, grid.base
    for axis in AXES:
        if axis in extra:
            asked = tuple(value for value in getattr(grid, f"{axis}s") if value in extra[axis])
            axes = replace(axes, **{f"{axis}s": asked})
    if "size" in extra:
        axes = replace(axes, sizes=tuple(sorted(set(extra["size"]))))
    return replace(axes, dtypes=request.dtypes) if extra.get("dtypes_given") else axes


def absent_items(request: Request, items: Mapping[str, Any]) -> dict[str, str]:
    """The items that a run of all leaves out because the installed torch lacks them, and the sentence that says so."""
    return {} if request.items else {name: reason for name, item in items.items() if (reason := lacking(item, "to time"))}
