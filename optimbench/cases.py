"""The cases of an optimizer: options of its parameter groups, implementation path, format and lane, and the numbers drawn."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchkit.grid import combinations, generator
from benchkit.precision import PRECISIONS, Precision
from benchkit.spec import Optimizer
from optimbench.layouts import EXPANDED, LAYOUTS

Array = NDArray[Any]
STEPS = 20
EXACT_STEPS = 6  # each step of a dyadic run needs more bits than the one before
LAID_STEPS = 8  # a layout shows in the first step, or in what it leaves to the next ones
SHORT_STEPS = 10  # of a case at level quick whose option set has its whole run in another format
SAMPLES = {"quick": 1, "standard": 1, "thorough": 4}
LATE_TURNS = {"quick": 4, "standard": 2, "thorough": 1}  # of so many combinations of options and path one has late gradients
FORMATS = tuple(PRECISIONS)
PROBLEMS = ("quadratic", "quartic", "rosenbrock")  # of optimizers that take a closure: they need many steps,
BENT_PROBLEMS = ("shelf", "dents")  # no cubic: these lead a line search where the others do not
SPECIAL_PROBLEMS = ("bowl", "partial")  # and these one, or leave a parameter without a gradient
LATE = 3  # on the late lane the last parameter has no gradient before this step,
PAUSE = (8, 10)  # and the first has none from one of these to the other,
ZERO = (4, 12)  # the second one's is zero from one of these to the other,
NOBODY = 14  # nobody has one in this step and the second group none in the next; of four parameters the third never has one
TENSORS = ("lr", "betas")  # the options that an optimizer may take in a tensor
EXTRA_PATHS = ("default", "differentiable", "capturable")  # of all optimizers that take gradients, by few cases each,
COMPILED_PATHS = ("compiled", "compiled_foreach")  # from level standard on by one case each, which takes half a second,
CAPTURABLE_PATHS = ("compiled_capturable", "compiled_foreach_capturable")
FUSED_PATH = "compiled_fused"
INDUCTOR_PATHS = ("inductor", "inductor_foreach")  # at level thorough, since these take seconds

# Shapes of the parameters of two groups. Sizes stand on both sides of the SIMD widths (all of them below in the second set),
# two tensors are empty, one is a number; the last set has many tensors in a group.
SHAPES: Sequence[tuple[tuple[tuple[int, ...], ...], tuple[tuple[int, ...], ...]]] = (
    (((7,), (4, 5)), ((33,), (3,))),
    (((2,), (3,)), ((1, 3), (1,))),
    (((1,), (0,), (2, 3, 4)), ((16,), (17,))),
    (((17, 2),), ((5,), (15,), (3, 3))),
    (((64,),), ((31,), (2, 2))),
    (((2, 3, 2, 2), ()), ((0, 3), (3, 2, 5), (6,), *[(1,)] * 33)),
)
FEWEST = 4  # the sample of the fewest parameters: they are compiled one by one
MANY = 5  # that of many tensors, which take five times as long; at level quick one option set has them

EMPTY = (((2, 0), (2, 3)), ((0, 3), (3, 2)))  # on the empty lane


@dataclass
class Drawn:
    """Start values of the parameters of each group, and for each step the gradient of every parameter (None: it has none).

    ``touched`` holds, for optimizers of sparse gradients, which elements each gradient stores.
    """

    groups: list[list[Array]]
    gradients: list[list[Array | None]]
    touched: list[list[Array]]

    @property
    def parameters(self) -> list[Array]:
        return [p for group in self.groups for p in group]


@dataclass(frozen=True)
class Case:
    """One run of one optimizer with two parameter groups (one for optimizers that take one only).

    For optimizers that take a closure the variant is the name of the problem that they minimise. ``layout`` is how parameters
    and gradients lie in memory, a name of ``optimbench.layouts``. A ``short`` run makes half of the steps.
    """

    item: Optimizer
    options: Mapping[str, Any]
    others: Mapping[str, Any]
    path: str
    dtype: str
    device: str
    lane: str
    sample: int
    seed: int = field(default=0, compare=False)
    variant: str = ""
    layout: str = ""
    short: bool = field(default=False, compare=False)

    @property
    def steps(self) -> int:
        """How many steps a run with gradients that are drawn makes."""
        if self.lane == "exact":
            return EXACT_STEPS
        return LAID_STEPS if self.layout else SHORT_STEPS if self.short else STEPS

    @property
    def checks(self) -> tuple[str, ...]:
        """The checks of which a run of the case always makes a record."""
        return ("lockstep",)

    @property
    def precision(self) -> Precision:
        return PRECISIONS[self.dtype]

    @property
    def refills(self) -> bool:
        """Whether each gradient is written into the memory of the one before it, as after ``zero_grad(set_to_none=False)``:
        every second option set. What an optimizer still holds of the gradient itself changes with it."""
        return self.sample % 2 == 1 and not self.layout and "sparse" not in self.item.tags

    @property
    def settings(self) -> dict[str, str]:
        """The options of the first group that are not at their defaults, in words."""
        return {name: str(value) for name, value in self.options.items() if value != self.item.defaults[name]}

    @property
    def shapes(self) -> tuple[tuple[tuple[int, ...], ...], ...]:
        if self.lane == "empty":
            return EMPTY
        sets = self.item.shapes or SHAPES
        found = sets[self.sample % len(sets)]
        # A sparse gradient stores rows, and a number has none; numbers in half types are nobody's parameters.
        if "sparse" in self.item.tags or self.precision.bits < 24:
            return tuple(tuple(shape or (1,) for shape in group) for group in found)
        return found

    def id(self, check: str) -> str:
        """The name of the case, unique in a run and the same in every run."""
        if "closure" in self.item.tags:
            return self._id(check, "8")
        return self._id(check, str(sum(math.prod(s) for group in self.shapes for s in group)))

    def _id(self, check: str, size: str) -> str:
        settings = (f"{name}={value}".replace(" ", "") for name, value in self.settings.items())
        chosen = ",".join(filter(None, (self.variant, *settings)))
        brackets = f"[{chosen}]" if chosen else ""
        numbers = "-".join(filter(None, (f"n{size}", self.layout, f"s{self.sample}")))
        return f"{self.item.slug}{brackets}-{check}-{self.dtype}-{self.device}-{self.path}-{self.lane}-{numbers}"

    def draw(self) -> Drawn:
        """Start values and gradients, all of them numbers of the case's format, and the same for every path."""
        name = f"{self.item.slug}|{sorted(self.settings.items())}|{self.dtype}|{self.lane}|{self.sample}"
        rng = generator(name, self.seed)
        shapes = [shape for group in self.shapes for shape in group]
        ends = list(itertools.accumulate(math.prod(shape) for shape in shapes))
        steps = self.steps

        def cut(flat: Array) -> list[Array]:
            return [flat[end - math.prod(shape) : end].reshape(shape) for end, shape in zip(ends, shapes, strict=True)]

        starts = cut(self.precision.round(self._starts(rng, ends[-1])))
        values = self.precision.round(self._gradients(rng, steps, ends[-1]))
        touched = [[np.ones(shape, dtype=bool) for shape in shapes]] * steps
        if "sparse" in self.item.tags:  # whole rows of the first dimension are stored
            touched = [
                [np.broadcast_to(rng.random((*s[:1], *[1] * (len(s) - 1))) < 0.6, s) for s in shapes] for _ in range(steps)
            ]
        gradients: list[list[Array | None]] = []
        for step, row in enumerate(values):
            gradients.append(list(cut(row)))
            if "sparse" in self.item.tags:
                gradients[step] = [np.where(m, g, 0.0) for g, m in zip(cut(row), touched[step], strict=True)]
            if self.lane == "exact" and "matrices" in self.item.tags:
                gradients[step] = [_alone(g) for g in cut(row)]
            if self.layout in EXPANDED:
                gradients[step] = [np.broadcast_to(g[:1], g.shape) if g.size else g for g in map(np.atleast_1d, cut(row))]
                gradients[step] = [g.reshape(s) for g, s in zip(gradients[step], shapes, strict=True)]  # type: ignore[union-attr]
            if self.lane == "late":
                gradients[step] = _late(step, gradients[step], len(self.shapes[0]))
        first = len(self.shapes[0])
        return Drawn([starts[:first], starts[first:]], gradients, touched)

    def _starts(self, rng: np.random.Generator, size: int) -> Array:
        return rng.integers(-16, 17, size) / 4.0 if self.lane == "exact" else rng.normal(0.0, 1.0, size)

    def _gradients(self, rng: np.random.Generator, steps: int, size: int) -> Array:
        """Gradients that shrink (so that a running maximum is reached), grow and change sign; at the edges zero, tiny, huge."""
        shape = (steps, size)
        if self.lane == "exact" and "matrices" in self.item.tags:
            return rng.choice([-1.0, 1.0], shape) * 2.0 ** rng.integers(-2, 5, shape)
        if self.lane == "exact":
            return rng.integers(-8, 9, shape) / 4.0
        ordinary = rng.normal(0.0, 1.0, shape) * 2.0 ** (-(np.arange(steps)[:, None] % 12) / 2.0)
        if self.lane not in ("edge", "huge"):
            return ordinary
        p = self.precision
        largest = float(np.sqrt(p.largest)) / 16.0  # its square is representable;
        if self.lane == "edge":  # on the edge lane so is the quotient of an eps by it, in whatever order a formula takes it
            largest = min(largest, float(p.largest) ** 0.375)
        tiny = [0.0, -0.0, p.smallest_subnormal, p.smallest_normal, float(np.sqrt(p.smallest_normal)), 1.0]
        # One huge element rules the whole tensor of an optimizer that is not elementwise: they have a lane of their own there.
        huge = [largest, -largest]
        edges = huge if self.lane == "huge" else tiny if "whole" in self.item.tags else tiny + huge
        drawn = np.where(rng.random(shape) < 0.6, rng.choice(edges, shape), ordinary)
        return np.where(np.arange(size) % 7 == 3, 0.0, drawn) if self.lane == "edge" else drawn  # some never have a gradient


def _alone(g: Array) -> Array:
    """The last entry of a matrix alone: its length, its square and its one singular value are then numbers of every format."""
    return np.where(np.arange(g.size).reshape(g.shape) == g.size - 1, g, 0.0)


def _late(step: int, gradients: Sequence[Array | None], first: int) -> list[Array | None]:
    """The gradients of a step on the late lane, where ``first`` parameters make up the first group."""
    kept = list(gradients)
    if step < LATE:
        kept[-1] = None
    if PAUSE[0] <= step < PAUSE[1]:
        kept[0] = None
    if ZERO[0] <= step < ZERO[1]:
        kept[1] = np.zeros_like(kept[1])
    if len(kept) > 3:
        kept[2] = None
    if step == NOBODY:
        return [None] * len(kept)
    return kept[:first] + [None] * (len(kept) - first) if step == NOBODY + 1 else kept


def _problems(number: int, chosen: bool) -> tuple[str, ...]:
    """The problems of an option set: each takes two of those that need many steps in turn, the first also the special ones, and
    a set that is ``chosen`` for where it leads the bent ones."""
    pair = (PROBLEMS[number % len(PROBLEMS)], PROBLEMS[(number + 1) % len(PROBLEMS)])
    return pair + (() if number else SPECIAL_PROBLEMS) + (BENT_PROBLEMS if chosen else ())


def _shapes(level: str, sample: int) -> int:
    """The sample whose shapes and numbers a case has; at level quick those of many tensors come once."""
    return sample % MANY if level == "quick" and sample > MANY else sample


def cases(item: Optimizer, level: str, dtypes: Sequence[str], device: str, seed: int) -> Iterator[Case]:
    """Every case of an item at a level, on one device.

    The second group of parameters is at the defaults, and that of the defaults at the next option set, so that what a case
    shows is due to the options in its name. On the late lane, where gradients are missing, both groups have them: that is
    bookkeeping, the same in every format, so one format does. Below level thorough the edge lane takes every second combination
    of options, path and format, so that each two of the three still meet, and the late lane takes turns. At level quick, where
    all formats are asked for, all lanes take every third one of those that are not at the defaults, where there is an edge case
    it takes turns with the ordinary one, one option set alone has many tensors, and all the steps are made in float32
    and on the late lane, since what shows late shows in every format: the other formats, whose roundings are as wrong in the
    first step as in any later one, make half of them.
    Where there is an edge case, which lies in memory as tensors usually do, the ordinary one takes the layouts in turn.
    Optimizers that are not elementwise have parameters without elements, and huge gradients, in lanes of their own.
    """
    chosen = combinations(item.options, item.edge_options, level, item.valid, item.together)
    closure = "closure" in item.tags
    samples = SAMPLES[level]
    bookkeeping = "float32" if "float32" in dtypes else dtypes[0]
    layouts = [n for n in LAYOUTS if n and not (n in EXPANDED and item.tags & {"closure", "sparse"})]
    sought = [item.defaults | dict(values) for values in item.together]
    for number, options in enumerate(chosen):
        others = chosen[0] if number else chosen[min(1, len(chosen) - 1)]
        for column, path in enumerate(item.paths):
            for dtype in dtypes:
                shared = level == "quick" and number > 0 and len(dtypes) > 2
                if shared and (number + column + FORMATS.index(dtype)) % 3:
                    continue
                short = level == "quick" and dtype != bookkeeping
                turn = level == "thorough" or (number + column + FORMATS.index(dtype)) % 2 == 0
                lanes = ("ordinary", "edge") if turn and not closure else ("ordinary",)
                for lane in (lanes[number // 2 % len(lanes)],) if shared else lanes:
                    for turned, variant in enumerate(_problems(number, options in sought) if closure else ("",)):
                        for sample in range(samples):
                            place = number // 2 + 3 * column + 5 * FORMATS.index(dtype) + sample
                            # The first problem of an option set always lies as usual: a layout may end a run at once.
                            laid = turn and lane == "ordinary" and sample % 2 == 0 and (turned or not closure)
                            layout = layouts[place % len(layouts)] if laid else ""
                            drawn = _shapes(level, sample + number)
                            yield Case(item, options, others, path, dtype, device, lane, drawn, seed, variant, layout, short)
            if not closure and (number + column) % LATE_TURNS[level] == 0:
                yield Case(item, options, options, path, bookkeeping, device, "late", _shapes(level, number), seed)
            if "whole" in item.tags and not number:
                yield Case(item, options, others, path, bookkeeping, device, "empty", 0, seed)
                yield from (Case(item, options, others, path, dtype, device, "huge", 0, seed) for dtype in dtypes)
    for number, chosen_values in enumerate(item.exact_options):
        options = item.defaults | dict(chosen_values)
        for path in item.paths:
            for dtype in dtypes:
                yield Case(item, options, options, path, dtype, device, "exact", number, seed)
    for table in item.tabulated:
        for dtype in (d for d in dtypes if PRECISIONS[d].bits >= 24):  # half formats do not hold these numbers
            for path in item.paths:
                given = item.defaults | dict(table.options)
                yield Case(item, given, given, path, dtype, device, "exact", 0, seed, table.name)
    if not closure:
        yield from _elsewhere(item, chosen, level, bookkeeping, dtypes, device, seed)
        yield from _at_the_ends(item, chosen, level, dtypes, device, seed)


def _elsewhere(
    item: Optimizer, chosen: Sequence[Mapping[str, Any]], level: str, dtype: str, dtypes: Sequence[str], device: str, seed: int
) -> Iterator[Case]:
    """The paths besides the usual ones, and options held in tensors: the defaults and the richest option set meet each.

    Compiled paths are met by the richest set alone, in ``dtype``, and the first of them in float64, too; gradients that come
    late, which have their steps compiled again, by one of them.
    """
    first, rich = chosen[0], richest(item)
    fine = tuple(dict.fromkeys((dtype, *(d for d in dtypes if d == "float64"))))  # where scalars of too few bits show
    for number, (options, others) in enumerate(((rich, first), (first, rich))):
        for path in EXTRA_PATHS:
            for format in fine if path == "differentiable" else (dtype,):
                yield Case(item, options, others, path, format, device, "ordinary", number, seed)
        for path in item.paths:
            yield Case(item, options, others, path, dtype, device, "tensor", number, seed)
    if level == "quick":  # what is compiled takes half a second
        return
    for path in (*COMPILED_PATHS, *CAPTURABLE_PATHS, FUSED_PATH):
        yield Case(item, rich, first, path, dtype, device, "ordinary", FEWEST, seed)
    for path, format in zip(COMPILED_PATHS, reversed(fine), strict=False):
        if format != dtype:
            yield Case(item, rich, first, path, format, device, "ordinary", FEWEST, seed)
    yield Case(item, rich, rich, COMPILED_PATHS[-1], dtype, device, "late", FEWEST, seed)
    if level != "thorough":
        return
    for path in INDUCTOR_PATHS:
        yield Case(item, rich, first, path, dtype, device, "ordinary", FEWEST, seed)
    for path, lane in zip(COMPILED_PATHS, ("tensor", "edge"), strict=True):
        yield Case(item, rich, first, path, dtype, device, lane, FEWEST, seed)


def _at_the_ends(
    item: Optimizer, chosen: Sequence[Mapping[str, Any]], level: str, dtypes: Sequence[str], device: str, seed: int
) -> Iterator[Case]:
    """The differentiable path, whose arithmetic has limits of its own, at the ends of what is allowed.

    In bfloat16, where the counters of the path, which are held in float32, are exact.
    """
    ends = [options for options in chosen if any(options[n] in values for n, values in item.edge_options.items())]
    for number, options in enumerate(ends[:: 2 if level == "quick" else 1] if "bfloat16" in dtypes else ()):
        yield Case(item, options, chosen[0], "differentiable", "bfloat16", device, "edge", _shapes(level, number), seed)


def richest(item: Optimizer) -> Mapping[str, Any]:
    """Of the option sets of level standard the one with the most options away from their defaults."""
    chosen = combinations(item.options, {}, "standard", item.valid)
    return max(chosen, key=lambda options: sum(value != item.defaults[name] for name, value in options.items()))
