"""The cases of a loss: the grid of its options, and the families that add layouts, paths, sizes and formats."""

from __future__ import annotations

import functools
from collections.abc import Iterator
from typing import TypeVar

from benchkit.grid import combinations
from benchkit.spec import Loss
from lossbench.case import Case, accepted, allowed, lanes
from lossbench.families import compiled, families, has_parameters

T = TypeVar("T")
SAMPLES = {"quick": 1, "standard": 3, "thorough": 12}
EDGE_ELEMENTS = 96  # enough for every edge value of input to meet every one of target a few times over the samples

# What the deprecated pair (size_average, reduce) stands for, from the documentation of every loss that takes it.
LEGACY = {
    (True, None): "mean",
    (False, None): "sum",
    (None, True): "mean",
    (None, False): "none",
    (True, True): "mean",
    (True, False): "none",
    (False, True): "sum",
    (False, False): "none",
}


def cases(item: Loss, level: str, dtypes: tuple[str, ...], device: str, seed: int) -> Iterator[Case]:
    """Every case of an item at a level, on one device: the grid of its options, and what families.py adds to it.

    Compiled cases come first: those of one graph then belong to one unit of work, and the graph is made once.
    """
    if not has_parameters(item):
        yield from compiled(item, level, dtypes, device, seed)
    yield from grid(item, level, dtypes, device, seed)
    yield from families(item, level, dtypes, device, seed)


def grid(item: Loss, level: str, dtypes: tuple[str, ...], device: str, seed: int) -> Iterator[Case]:
    """Every declared option with every reduction, format, lane and shape, on contiguous tensors, by the module.

    At level quick the defaults of the first variant meet all of them. The reductions, and the shapes of the edge lane, of the
    other option sets and variants are shared out among the formats that are asked for, so that every two of option, format and
    reduction still meet; so are the deprecated arguments, and ordinary and edge lane take turns there. At level standard the
    shapes of the edge lane are shared out for later variants where the options are not the defaults.
    """
    count = SAMPLES[level]
    for later, variant in enumerate(item.variants):
        valid = None if item.valid is None else functools.partial(accepted, item, variant)
        for number, options in enumerate(combinations(item.options, item.edge_options, level, valid)):
            sharing = level == "quick" and (number > 0 or later > 0)
            for place, dtype in enumerate(d for d in dtypes if allowed(options, d)):
                turn, among = later + number + place, len(dtypes) if sharing else 1
                edge_among = len(dtypes) if later and (level == "quick" or (level == "standard" and number)) else among
                for reduction in _share(list(item.reductions), turn, among):
                    for lane in _lanes(item, turn) if sharing else lanes(item):
                        found = list(enumerate(_shapes(item, lane, reduction, count)))
                        for sample, shape in found if lane != "edge" else _share(found, turn, edge_among):
                            yield Case(item, variant, options, reduction, dtype, device, lane, shape, sample, seed=seed)
        if item.legacy:
            for turn, (legacy, reduction) in enumerate(LEGACY.items()):
                for dtype in _share(list(dtypes), turn, len(dtypes)) if level == "quick" else dtypes:
                    shape = item.shapes[0]
                    yield Case(
                        item, variant, item.defaults, reduction, dtype, device, "ordinary", shape, 0, legacy=legacy, seed=seed
                    )


def _lanes(item: Loss, turn: int) -> list[str]:
    """The lanes of an item but one: the ordinary and the edge lane take turns."""
    return [lane for lane in lanes(item) if lane != ("edge", "ordinary")[turn % 2]]


def _share(values: list[T], turn: int, among: int) -> list[T]:
    """The values whose turn it is where they are shared out among so many; one at least, if there is any."""
    return values[turn % among :: among] or values[turn % max(len(values), 1) :][:1]


def _shapes(item: Loss, lane: str, reduction: str, count: int) -> list[tuple[int, ...]]:
    """The base shape of each sample. Infinities and NaN drown a reduced loss, so the edge lane reduces shapes, not specials."""
    shapes = list(item.shapes)
    if lane != "edge":
        return [shapes[i % len(shapes)] for i in range(max(count, len(shapes) if count > 1 else 1))]
    if reduction != "none":
        return list(item.edge_shapes)
    specials = [(EDGE_ELEMENTS,)] if "elementwise" in item.tags else shapes
    return [specials[i % len(specials)] for i in range(max(count, 2))] + list(item.edge_shapes)
