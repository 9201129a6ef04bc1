"""Which scenarios of an optimizer's life a level plays, and on which paths, options and formats."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from benchkit.grid import combinations, generator
from benchkit.precision import PRECISIONS
from benchkit.spec import Optimizer
from optimbench.cases import Case, richest
from optimbench.found import Found

LANE = "life"
SHAPES = (((35,), (2, 2)), ((3, 4), ()))  # parameters of two groups,
SMALL = (((5,), (2, 2)), ((3, 2), (1,)))  # of half types smaller than a SIMD block, whose full blocks other cases look at
ROWS = (((6, 3), (5,)), ((4, 2), (7,)))  # for sparse gradients
PAIRS = (((5, 2), (2, 3, 2)), ((3, 2), (1, 2)))  # real and imaginary part lie in the last dimension

Check = Callable[..., list[Found]]


@dataclass(frozen=True)
class Scenario:
    """One property of an optimizer's life: ``check(case, subject)`` plays it and gives what it found.

    Items must have a tag of ``needs`` (if there are any) and none of ``without``. ``variants(item)`` names several plays of a
    scenario; where it gives none the scenario does not concern the item. ``formats`` are those that it is played in, and
    unless it is played ``everywhere`` the path is the first one. ``sets(item, few)`` gives the option sets. ``small`` says
    that half types come into it whatever the format. What takes ``long`` is not played at level quick.
    """

    name: str
    sentence: str
    check: Check
    needs: frozenset[str] = frozenset()
    without: frozenset[str] = frozenset({"closure"})
    formats: tuple[str, ...] = tuple(PRECISIONS)
    everywhere: bool = True
    variants: Callable[[Optimizer], Sequence[str]] = lambda item: ("",)
    shapes: Any = ()
    small: bool = False
    long: bool = False
    sets: Callable[[Optimizer, Sequence[Mapping[str, Any]]], Sequence[Mapping[str, Any]]] | None = None

    def concerns(self, item: Optimizer) -> bool:
        return not (self.needs and not self.needs & item.tags) and not self.without & item.tags


SCENARIOS: dict[str, Scenario] = {}


def scenario(sentence: str, **fields: Any) -> Callable[[Check], Check]:
    """Decorator: ``check_<name>(case, subject)`` plays the scenario of that name; ``sentence`` says what has to hold."""

    def register(check: Check) -> Check:
        name = check.__name__.removeprefix("check_")
        SCENARIOS[name] = Scenario(name, sentence, check, **fields)
        return check

    return register


@dataclass(frozen=True)
class LifeCase(Case):
    """One play of a scenario; at level quick a long one is shorter."""

    scenario: str = field(default="", kw_only=True)
    level: str = field(default="standard", kw_only=True, compare=False)

    @property
    def checks(self) -> tuple[str, ...]:
        return (self.scenario,)

    @property
    def only(self) -> str:
        """The one check that the case has; that of another scenario would have the same id, but is another play."""
        return self.scenario

    @property
    def shapes(self) -> tuple[tuple[tuple[int, ...], ...], ...]:
        chosen = SCENARIOS[self.scenario].shapes
        if chosen:
            return tuple(chosen)
        declared = getattr(self.item, "shapes", ())  # of items that do not take any shape
        if declared:
            return tuple(declared[self.sample % len(declared)])
        if "sparse" in self.item.tags:
            return ROWS
        return SMALL if self.precision.bits < 24 or SCENARIOS[self.scenario].small else SHAPES

    @property
    def rng(self) -> np.random.Generator:
        """Random numbers of the case that are the same on every path."""
        return generator(self.item.slug, self.scenario, self.variant, sorted(self.settings.items()), self.dtype, self.seed)


def cases(item: Optimizer, level: str, dtypes: Sequence[str], device: str, seed: int) -> Iterator[LifeCase]:
    """Every play of every scenario that concerns an item.

    Level quick plays those that do not take long in float32 with many options away from their defaults, on one of all paths
    in turn; standard on each path with those options in two formats and with the defaults in a third; thorough in all formats
    and with all option sets of level quick.
    """
    few = combinations(item.options, {}, "quick", item.valid)
    first, rich = few[0], richest(item)
    for place, one in enumerate(s for s in SCENARIOS.values() if s.concerns(item)):
        if level == "quick" and one.long:
            continue
        formats = [d for d in one.formats if d in dtypes]
        sets = list(one.sets(item, few)) if one.sets else [rich, first, *(few[1:] if level == "thorough" else ())]
        paths = tuple(item.paths) if one.everywhere else tuple(item.paths[:1])
        for number_of, variant in enumerate(one.variants(item)):
            turn = (place + number_of) % len(paths)
            for column, path in enumerate(paths[turn : turn + 1] if level == "quick" else paths):
                for number, options in enumerate(sets[:1] if level == "quick" else sets):
                    others = first if options is not first else rich
                    for dtype in _formats(one, formats, level, place + column + number, number):
                        yield LifeCase(
                            item, options, others, path, dtype, device, LANE, number, seed, variant,
                            scenario=one.name, level=level,
                        )  # fmt: skip


def _formats(one: Scenario, formats: Sequence[str], level: str, turn: int, number: int) -> list[str]:
    """The formats of a play: the first set takes float32 and another one in turn, the next sets one each."""
    if level == "thorough" or not formats:
        return list(formats)
    others = [d for d in one.formats if d != "float32"]
    turned = others[turn % len(others)] if others else "float32"
    wanted = ["float32"] if level == "quick" else ["float32", turned] if number == 0 else [turned]
    return [d for d in dict.fromkeys(wanted) if d in formats] or (list(formats[:1]) if number == 0 else [])
