"""A case of a loss: which options, reduction, format, path, layouts, lane and shape, and the numbers drawn for it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from benchkit.domains import Domain, Draw, draw_case
from benchkit.grid import generator
from benchkit.precision import PRECISIONS, Precision
from benchkit.spec import Loss, Native
from lossbench.layouts import CONTIGUOUS, EXPANDED, REPEATED, repeat
from lossbench.oracle import derivable, promoted
from lossbench.paths import BEST, SHARED, autocast_format, autocasts_to_float32

LANES = 3  # calls that run together under vmap
ROWS_OF_A_LARGE_INPUT = 11  # which come again and again: what a careless sum loses of each is always the same, and adds up


@dataclass(frozen=True)
class Case:
    """One set of inputs for one loss.

    ``legacy`` replaces the reduction argument by the deprecated pair that means the same. ``layouts`` names the tensors that
    are not contiguous, with their layouts (under vmap: how the lanes are put together), ``formats`` those of another format
    than ``dtype``. ``graph`` are the cases, this one among them, that torch.compile gets in one function.
    """

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
    layouts: tuple[tuple[str, str], ...] = ()
    formats: tuple[tuple[str, str], ...] = ()
    graph: tuple[Case, ...] = field(default=(), compare=False, repr=False)

    @property
    def precision(self) -> Precision:
        return PRECISIONS[self.dtype]

    @property
    def domains(self) -> Mapping[str, Domain]:
        domains: Mapping[str, Domain] = self.item.variants[self.variant]
        return domains

    @property
    def computed(self) -> Precision:
        """The coarsest format that the definition allows an operation of this case to round to."""
        through = any(domain.through for domain in self.domains.values())  # what comes before the loss is not in its hands
        if self.path == "autocast" and autocasts_to_float32(self.item) and not through:
            return PRECISIONS[promoted(self.dtype, "float32")]
        present = [PRECISIONS[f] for f in (self.dtype, *dict(self.formats).values()) if f in PRECISIONS]
        if self.path == "autocast" and any(domain.parameter for domain in self.domains.values()) and self.dtype != "float64":
            present.append(PRECISIONS[autocast_format(self.dtype)])  # of the products with its matrices
        return min(present, key=lambda p: p.bits)

    @property
    def stored(self) -> tuple[str, ...]:
        """The formats that the answer may have, the one that it should have first.

        An operation on several formats gives the promoted one; a label or a weight, which torch may compare with or multiply by
        in place, may count or not. What the documentation does not list under autocast runs in what its parts run in.
        """
        if self.path == "autocast":
            wide = promoted(self.dtype, "float32")
            return (wide,) if autocasts_to_float32(self.item) else (self.dtype, wide)
        computed_with = [f for n, f in self.formats if n in self.domains and self.domains[n].differentiable]
        return tuple(dict.fromkeys((promoted(self.dtype, *computed_with), promoted(self.dtype, *dict(self.formats).values()))))

    @property
    def manner(self) -> str:
        """Layouts and formats of the tensors that have others than usual, in words."""
        return ",".join(f"{name}={word}" for name, word in (*self.layouts, *self.formats))

    @property
    def settings(self) -> dict[str, str]:
        """The options that are not at their defaults, in words."""
        defaults = {**self.item.defaults, **{name: values[0] for name, values in self.item.functional_options.items()}}
        texts = {name: text(value) for name, value in self.options.items()}
        return {name: t for name, t in texts.items() if t != text(defaults[name])}

    def id(self, check: str) -> str:
        """The name of one check of the case, unique in a run and the same in every run."""
        chosen = [self.variant] if self.variant else []
        chosen += [f"{name}={value}" for name, value in self.settings.items()]
        path = self.path if self.legacy is None else "size_average={},reduce={}".format(*self.legacy)
        size = "x".join(map(str, self.shape)) or "scalar"
        brackets = f"[{','.join(chosen)}]" if chosen else ""
        manner = f"{self.manner}-" if self.manner else ""
        return (
            f"{self.item.slug}{brackets}-{check}-{self.reduction}-{self.dtype}-{self.device}-{path}-{manner}{self.lane}"
            f"-n{size}-s{self.sample}"
        )

    @property
    def by(self) -> list[str]:
        """All that the gradient is by: inputs, then options that are tensors."""
        return derivable(self.domains, self.options)

    @property
    def weights(self) -> list[str]:
        """The options to differentiate by; none for a mean that has its own denominator, which may depend on them."""
        return [n for n in self.by if n not in self.domains] if self.item.reductions.get(self.reduction) is None else []

    def draw(self) -> Draw:
        """The inputs and options of the case as float64 arrays of numbers that its format represents."""
        drawn = self._drawn("draw", self.options)
        return drawn if self.path != BEST else replace(drawn, inputs={**drawn.inputs, "target": self._best(drawn)})

    def _best(self, drawn: Draw) -> Any:
        """The class of the smallest loss in each row; which of two equal ones does not matter to their loss."""
        each = [
            self.item.function(*{**drawn.inputs, "target": np.full(self.shape[:-1], k)}.values(), **drawn.options)
            for k in range(drawn.options["n_classes"])
        ]
        return np.argmin(each, axis=0)

    def lanes(self, drawn: Draw) -> list[Draw]:
        """Further draws of the case with the same options, to run beside ``drawn`` under vmap; equal where they are shared, as
        plain numbers are."""
        words = dict(self.layouts)
        shared = {n: v for n, v in drawn.inputs.items() if words.get(n) == SHARED or not isinstance(v, np.ndarray)}
        return [self._drawn(f"lane{k}", drawn.options, shared) for k in range(1, LANES)]

    def _drawn(self, name: str, options: Mapping[str, Any], shared: Mapping[str, Any] | None = None) -> Draw:
        rowwise = "elementwise" not in self.item.tags
        lane = "ordinary" if self.lane == "large" else self.lane
        words = dict(self.layouts)
        alike = frozenset(argument for argument, word in self.layouts if word in (EXPANDED, REPEATED))
        drawn = Draw(generator(self.id(name), self.seed), lane, self.shape, self.precision, rowwise, alike=alike)

        def finish(argument: str, array: Any) -> Any:
            if shared and argument in shared:
                return shared[argument]
            if not isinstance(array, np.ndarray):
                return array
            if self.lane == "large" and array.shape[:1] == self.shape[:1]:
                array = array[np.arange(len(array)) % ROWS_OF_A_LARGE_INPUT]
            return repeat(self._in_format(argument, array), words.get(argument, CONTIGUOUS))

        return draw_case(self.domains, options, drawn, finish)

    def _in_format(self, name: str, array: Any) -> Any:
        """The array as numbers of the format that the case gives to this argument: rounded, or whole and not negative."""
        format = dict(self.formats).get(name)
        if format is None:
            return array
        if format in PRECISIONS:
            return np.asarray(PRECISIONS[format].round(array))
        whole = np.asarray(np.rint(array))
        if not format.startswith("int"):
            whole = np.where(whole < 256, np.abs(whole) if array.dtype.kind == "f" else np.maximum(whole, 0), 0)
        return np.asarray(np.minimum(whole, 1) if format == "bool" else whole, dtype=array.dtype)

    def upstream(self, shape: tuple[int, ...]) -> np.ndarray[Any, np.dtype[np.float64]]:
        """An incoming gradient other than one and not uniform: dyadic, so that it is exact in every format."""
        return repeat(self.dyadic("upstream", shape), dict(self.layouts).get("incoming", CONTIGUOUS))

    def dyadic(self, name: str, shape: tuple[int, ...]) -> np.ndarray[Any, np.dtype[np.float64]]:
        """Numbers of two bits and a half, for gradients and tangents."""
        rng = generator(self.id(name), self.seed)
        return np.asarray(rng.integers(1, 8, shape) * rng.choice([-0.25, 0.25], shape), dtype=np.float64)


def text(value: Any) -> str:
    """An option value in a case id."""
    return value.label if isinstance(value, (Domain, Native)) else str(value).replace(" ", "")


def lanes(item: Loss) -> tuple[str, ...]:
    """The lanes of an item; the exact one needs a formula that is exact on dyadic inputs."""
    return ("exact", "ordinary", "edge") if "exact" in item.tags else ("ordinary", "edge")


def accepted(item: Loss, variant: str, options: Mapping[str, Any]) -> bool:
    """Whether the constructor takes these options for inputs of this kind; ``valid`` is told the variant among the options."""
    return item.valid is None or item.valid({**options, "variant": variant})


def allowed(options: Mapping[str, Any], dtype: str) -> bool:
    """Whether every option that is an object of torch's own goes with this format."""
    return all(dtype in value.dtypes for value in options.values() if isinstance(value, Native) and value.dtypes)
