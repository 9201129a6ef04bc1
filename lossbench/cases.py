"""The cases of a loss: which options, reduction, format, lane and shape, and the numbers drawn for them."""

from __future__ import annotations

import functools
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from benchkit.domains import Domain, Draw, draw_case
from benchkit.grid import combinations, generator
from benchkit.precision import PRECISIONS, Precision
from benchkit.spec import Loss, Native
from lossbench.oracle import derivable

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


@dataclass(frozen=True)
class Case:
    """One set of inputs for one loss. ``legacy`` replaces the reduction argument by the deprecated pair that means the same."""

    item: Loss
    variant: str
    options: Mapping[str, Any]
    reduction: str
    dtype: str
    device: str
    lane: str
    shape: tuple[int, ...]
    sample: int
    path: str = "eager"
    legacy: tuple[bool | None, bool | None] | None = None
    seed: int = field(default=0, compare=False)

    @property
    def precision(self) -> Precision:
        return PRECISIONS[self.dtype]

    @property
    def settings(self) -> dict[str, str]:
        """The options that are not at their defaults, in words."""
        texts = {name: text(value) for name, value in self.options.items()}
        return {name: t for name, t in texts.items() if t != text(self.item.defaults[name])}

    def id(self, check: str) -> str:
        """The name of one check of the case, unique in a run and the same in every run."""
        chosen = [self.variant] if self.variant else []
        chosen += [f"{name}={value}" for name, value in self.settings.items()]
        path = self.path if self.legacy is None else "size_average={},reduce={}".format(*self.legacy)
        size = "x".join(map(str, self.shape)) or "scalar"
        brackets = f"[{','.join(chosen)}]" if chosen else ""
        return (
            f"{self.item.slug}{brackets}-{check}-{self.reduction}-{self.dtype}-{self.device}-{path}-{self.lane}"
            f"-n{size}-s{self.sample}"
        )

    @property
    def by(self) -> list[str]:
        """All that the gradient is by: inputs, then options that are tensors."""
        return derivable(self.item.variants[self.variant], self.options)

    @property
    def weights(self) -> list[str]:
        """The options to differentiate by; none for a mean that has its own denominator, which may depend on them."""
        inputs = self.item.variants[self.variant]
        return [n for n in self.by if n not in inputs] if self.item.reductions[self.reduction] is None else []

    def draw(self) -> Draw:
        """The inputs and options of the case as float64 arrays of numbers that its format represents."""
        rowwise = "elementwise" not in self.item.tags
        drawn = Draw(generator(self.id("draw"), self.seed), self.lane, self.shape, self.precision, rowwise)
        return draw_case(self.item.variants[self.variant], self.options, drawn)

    def upstream(self, shape: tuple[int, ...]) -> np.ndarray[Any, np.dtype[np.float64]]:
        """An incoming gradient other than one and not uniform: dyadic, so that it is exact in every format."""
        rng = generator(self.id("upstream"), self.seed)
        return np.asarray(rng.integers(1, 8, shape) * rng.choice([-0.25, 0.25], shape), dtype=np.float64)


def text(value: Any) -> str:
    """An option value in a case id."""
    return value.label if isinstance(value, (Domain, Native)) else str(value).replace(" ", "")


def lanes(item: Loss) -> tuple[str, ...]:
    """The lanes of an item; the exact one needs a formula that is exact on dyadic inputs."""
    return ("exact", "ordinary", "edge") if "exact" in item.tags else ("ordinary", "edge")


def cases(item: Loss, level: str, dtypes: tuple[str, ...], device: str, seed: int) -> Iterator[Case]:
    """Every case of an item at a level, on one device."""
    count = SAMPLES[level]
    for variant in item.variants:
        accepted = None if item.valid is None else functools.partial(_accepted, item, variant)
        for options in combinations(item.options, item.edge_options, level, accepted):
            for dtype in filter(functools.partial(_allowed, options), dtypes):
                for reduction in item.reductions:
                    for lane in lanes(item):
                        for sample, shape in enumerate(_shapes(item, lane, reduction, count)):
                            yield Case(item, variant, options, reduction, dtype, device, lane, shape, sample, seed=seed)
        if item.legacy:
            for legacy, reduction in LEGACY.items():
                for dtype in dtypes:
                    shape = item.shapes[0]
                    yield Case(
                        item, variant, item.defaults, reduction, dtype, device, "ordinary", shape, 0, legacy=legacy, seed=seed
                    )


def _accepted(item: Loss, variant: str, options: Mapping[str, Any]) -> bool:
    """Whether the constructor takes these options for inputs of this kind; ``valid`` is told the variant among the options."""
    return item.valid is None or item.valid({**options, "variant": variant})


def _allowed(options: Mapping[str, Any], dtype: str) -> bool:
    """Whether every option that is an object of torch's own goes with this format."""
    return all(dtype in value.dtypes for value in options.values() if isinstance(value, Native) and value.dtypes)


def _shapes(item: Loss, lane: str, reduction: str, count: int) -> list[tuple[int, ...]]:
    """The base shape of each sample. Infinities and NaN drown a reduced loss, so the edge lane reduces shapes, not specials."""
    shapes = list(item.shapes)
    if lane != "edge":
        return [shapes[i % len(shapes)] for i in range(max(count, len(shapes) if count > 1 else 1))]
    if reduction != "none":
        return list(item.edge_shapes)
    specials = [(EDGE_ELEMENTS,)] if "elementwise" in item.tags else shapes
    return [specials[i % len(specials)] for i in range(max(count, 2))] + list(item.edge_shapes)
