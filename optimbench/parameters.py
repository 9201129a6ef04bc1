"""Sets of parameters that steps are timed on: equal tensors, few or many, and the models of the source document."""

from __future__ import annotations

import functools
import math
from collections.abc import Mapping, Sequence

import torch

from benchkit.spec import Optimizer
from optimbench.models import MODELS

EQUAL = "10xN"  # ten equal tensors of any size: the multi-tensor paths are about several
TENSORS = 10
SETS = {"1x1e6": (1, 10**6), "1x1e8": (1, 10**8), "100x1e4": (100, 10**4), "1000x1e3": (1000, 10**3)}
SPARSE_COLUMNS = 10

Shape = tuple[int, ...]


@functools.cache
def _model(name: str) -> tuple[Shape, ...]:
    """The shapes of the parameters of a model; no memory is taken for them."""
    with torch.device("meta"):
        made = MODELS[name][0]()
    return tuple(tuple(parameter.shape) for parameter in made.parameters())


def shapes(item: Optimizer, workload: str, size: int = 0) -> list[Shape]:
    """The shapes of the parameters of a set, as far as the optimizer takes them.

    One tagged ``sparse`` gets the rows of an embedding. Those tagged ``whole`` get square matrices, and what is cheap or
    dear about them shows there; one that takes matrices alone gets those of a model.
    """
    if workload in MODELS:
        return [shape for shape in _model(workload) if len(shape) == 2 or "matrices" not in item.tags]
    count, elements = SETS.get(workload, (TENSORS, max(1, size // TENSORS)))
    if "sparse" in item.tags:
        return [(max(1, elements // SPARSE_COLUMNS), SPARSE_COLUMNS)] * count
    side = max(1, round(elements**0.5))
    return [(side, side) if "whole" in item.tags else (elements,)] * count


def size_of(shapes: Sequence[Shape]) -> int:
    """The elements of all tensors."""
    return sum(map(math.prod, shapes))


def fixed(item: Optimizer) -> Mapping[str, int]:
    """The sets that have a size of their own, and the size that they have for this optimizer."""
    return {name: size_of(shapes(item, name)) for name in (*SETS, *MODELS)}
