"""Families of cases beside the option grid: sizes around vector registers, layouts, functional form, vmap, autocast, mixed
formats, large inputs, compiled graphs.

A family has a set number of cases for each format; option sets, reductions, lanes, shapes, layouts and paths take turns in
them, each in an order of its own, so that all values and most pairs meet without a grid of everything. The turns follow from
names alone: a case has the same id in every run, and a seed changes its numbers only.
"""

from __future__ import annotations

import functools
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any, Generic, TypeVar

import numpy as np

from benchkit.domains import Domain
from benchkit.grid import combinations, generator, pairwise
from benchkit.precision import PRECISIONS
from benchkit.request import DTYPES
from benchkit.spec import Loss
from lossbench.case import Case, accepted, allowed, lanes
from lossbench.layouts import CHANNELS_LAST, CONTIGUOUS, EXPANDED, LAYOUTS, REPEATED, STRIDED
from lossbench.paths import BEST, DYNAMIC, LIKELIHOODS, SHARED, STACKED_LAST, THREADS

T = TypeVar("T")
Shape = tuple[int, ...]

# One less, as many and one more than the numbers in one, two or four vector registers of 128 to 512 bits, and a long tail.
SIZES = (1, 7, 8, 15, 16, 17, 31, 32, 33, 63, 64, 65, 127, 128, 129, 1025)
LONG_ROW = 200  # no axis but the first is made longer where a loss comes from a whole row: its formula may take pairs in it
LARGE = {"standard": 2**18, "thorough": 2**20}  # numbers in a large input
MANY = 2**15 + 37  # numbers that torch deals out to two threads, the second of which gets a piece with a tail
LONG_ROWS = {True: (1024 + 33,), False: (16, 17, 33)}  # in formats that keep some digits of a long sum, and in others
LARGE_ROWS = 70_000  # where a loss comes from a row of them: so many rows, more than float16 can count
FIRST_SAMPLE = 100  # the samples of the families; those of the grid are fewer

COUNTS = {  # cases of each format at each level; of one that is not named there are none
    "quick": {"layouts": 4, "empty": 1},
    "standard": {
        "sizes": 12,
        "layouts": 24,
        "empty": 3,
        "functional options": 6,
        "vmap": 6,
        "autocast": 6,
        "mixed": 12,
        "large": 1,
        "threads": 1,
        "rows": 1,
        "classes": 4,
    },
    "thorough": {
        "sizes": 4 * len(SIZES),
        "layouts": 96,
        "empty": 6,
        "functional options": 24,
        "vmap": 20,
        "autocast": 16,
        "mixed": 18,
        "large": 3,
        "threads": 3,
        "rows": 4,
        "classes": 12,
    },
}
COMPILED: dict[str, dict[str, int]] = {  # the same for the graphs of each backend
    "quick": {},
    "standard": {"aot_eager": 1, "aot_decomposed": 3, "inductor": 1},
    "thorough": {"aot_eager": 10, "aot_decomposed": 10, "inductor": 5, DYNAMIC: 2},
}


class Turns(Generic[T]):
    """Values that take turns: in every round each comes once, in another order."""

    def __init__(self, values: Iterable[T], *names: object) -> None:
        self.values = list(values)
        self.rng = generator("turns", *names)
        self.left: list[T] = []

    def __call__(self) -> T:
        if not self.left:
            self.left = [self.values[k] for k in self.rng.permutation(len(self.values))]
        return self.left.pop()


@dataclass
class Family:
    """The turns of one family of one item in one format."""

    item: Loss
    name: str
    level: str
    dtype: str
    device: str
    seed: int
    count: int

    def __post_init__(self) -> None:
        fitting = [s for s in settings(self.item, self.level) if allowed(s[1], self.dtype)]
        self.settings = self.turns(fitting, "settings")
        self.reductions = self.turns(self.item.reductions, "reduction")
        self.lanes = self.turns([lane for lane in lanes(self.item) if lane != "edge"], "lane")
        self.shapes = self.turns([s for s in self.item.shapes if s] or self.item.shapes, "shape")
        self.paths = self.turns(["eager", "functional"] if self.item.functional_name else ["eager"], "path")
        self.sample = FIRST_SAMPLE - 1

    def turns(self, values: Iterable[T], *names: object) -> Turns[T]:
        return Turns(values, self.item.slug, self.name, self.dtype, *names)

    def case(self, **chosen: Any) -> Case:
        """The next case: what is not chosen takes its turn."""
        self.sample += 1
        variant, options = chosen.pop("setting", None) or self.settings()
        values: dict[str, Turns[Any]] = {
            "reduction": self.reductions, "lane": self.lanes, "shape": self.shapes, "path": self.paths,
        }  # fmt: skip
        drawn: dict[str, Any] = {name: chosen.pop(name) if name in chosen else turn() for name, turn in values.items()}
        drawn |= {"dtype": self.dtype, "device": self.device, "sample": self.sample, "seed": self.seed, **chosen}
        return Case(item=self.item, variant=variant, options=options, **drawn)


def settings(item: Loss, level: str) -> list[tuple[str, Mapping[str, Any]]]:
    """The variants with the option sets of a level that the constructor takes for them."""
    found: list[tuple[str, Mapping[str, Any]]] = []
    for variant in item.variants:
        valid = None if item.valid is None else functools.partial(accepted, item, variant)
        found += [(variant, options) for options in combinations(item.options, item.edge_options, level, valid)]
    return found


def families(item: Loss, level: str, dtypes: tuple[str, ...], device: str, seed: int) -> Iterator[Case]:
    """The cases of all families at a level but the compiled ones."""
    for dtype in dtypes:
        for name, count in COUNTS[level].items():
            if has_parameters(item) and name not in ("layouts", "empty", "classes", "autocast"):
                continue
            yield from FAMILIES[name](Family(item, name, level, dtype, device, seed, count))


def has_parameters(item: Loss) -> bool:
    """Whether the loss is a module with parameters: they fix the shapes, and it has no functional form without them."""
    return any(domain.parameter for inputs in item.variants.values() for domain in inputs.values())


# ---- Sizes -------------------------------------------------------------------------------------------------------------------


def lengthened(item: Loss, length: int, longest: int = LONG_ROW) -> list[Shape]:
    """The declared shapes with one of their axes of this length; that of a row is not longer than ``longest``."""
    found = []
    for shape in item.shapes:
        for axis in range(len(shape)):
            rowwise = "elementwise" not in item.tags
            if has_parameters(item):
                continue
            if item.long_axes is not None and (axis - len(shape) not in item.long_axes or length < shape[axis]):
                continue
            if rowwise and length > longest and (axis > 0 or len(shape) == 1):
                continue
            found.append((*shape[:axis], length, *shape[axis + 1 :]))
    return found


def sizes(family: Family) -> Iterator[Case]:
    """Contiguous tensors with one axis around the length of a vector register."""
    lengths = family.turns(SIZES, "size")
    for _ in range(family.count):
        if found := lengthened(family.item, lengths()):
            yield family.case(shape=family.turns(found, family.sample)())


# ---- Layouts -----------------------------------------------------------------------------------------------------------------


def arguments(item: Loss, variant: str, options: Mapping[str, Any]) -> list[str]:
    """The names of the tensors that a call has: inputs, then tensor options."""
    inputs = [name for name, domain in item.variants[variant].items() if not domain.parameter]
    return [*inputs, *(name for name, value in options.items() if isinstance(value, Domain) and value.floating)]


def layouts(family: Family) -> Iterator[Case]:
    """Inputs, tensor options and incoming gradient in layouts of their own, every pair of layouts of two tensors at least once
    over the formats; many long enough for vector registers."""
    item = family.item
    names = sorted({n for setting in family.settings.values for n in arguments(item, *setting)})
    rows = pairwise(dict.fromkeys([*names, "incoming"], (CONTIGUOUS, *LAYOUTS)))
    first = DTYPES.index(family.dtype) * family.count
    shapes = family.turns([*item.shapes, *(s for n in (17, 33, 65) for s in lengthened(item, n))], "shape")
    planes = family.turns(four_axes(item), "planes")
    for k in range(first, first + family.count):
        row = rows[(k + 1) % len(rows)]  # the first row is contiguous throughout
        shape = planes() if CHANNELS_LAST in row.values() and planes.values else shapes()
        yield _laid(family, row, shape=shape)


def empty(family: Family) -> Iterator[Case]:
    """Tensors without elements that are not contiguous all the same."""
    zero = [shape for shape in family.item.edge_shapes if 0 in shape]
    if zero:
        shapes, words = family.turns(zero, "shape"), family.turns(LAYOUTS, "layout")
        for _ in range(family.count):
            row = dict.fromkeys(
                (*family.settings.values[0][1], *next(iter(family.item.variants.values())), "incoming"), words()
            )
            yield _laid(family, row, shape=shapes(), lane="edge")


def four_axes(item: Loss) -> list[Shape]:
    """Shapes of four axes that the item takes."""
    declared: list[Shape] = [shape[:4] for shape in item.shapes if len(shape) in (4, 5)]
    free = "elementwise" in item.tags and any(len(shape) == 3 for shape in item.shapes)
    spare: list[Shape] = [(2, 3, 4, 5), (2, 16, 3, 5)]
    return declared or (spare if free else [])


def _laid(family: Family, row: Mapping[str, str], **chosen: Any) -> Case:
    """A case in the layouts of a row, as far as its arguments can have them."""
    setting, reduction = family.settings(), chosen.pop("reduction", None) or family.reductions()
    names = arguments(family.item, *setting)
    found = [(n, _possible(family.item, setting[0], n, row[n])) for n in names if row.get(n, CONTIGUOUS) != CONTIGUOUS]
    if reduction == "none" and row.get("incoming", CONTIGUOUS) != CONTIGUOUS:
        found.append(("incoming", row["incoming"]))
    found = found or [(names[0], STRIDED)]
    return family.case(setting=setting, reduction=reduction, layouts=tuple(found), **chosen)


def _possible(item: Loss, variant: str, name: str, layout: str) -> str:
    """The layout, or a strided one where it repeats entries that may not be repeated."""
    domain = item.variants[variant].get(name)
    return STRIDED if domain is not None and not domain.repeats and layout in (EXPANDED, REPEATED) else layout


# ---- Paths -------------------------------------------------------------------------------------------------------------------


def functional_options(family: Family) -> Iterator[Case]:
    """The options that the functional form alone takes, beside those of the module, in any layout."""
    for name, values in family.item.functional_options.items():
        words = family.turns((CONTIGUOUS, *LAYOUTS), "layout", name)
        for k in range(family.count):
            variant, options = family.settings()
            value, layout = values[1 + k % (len(values) - 1)], words()
            placed = ((name, layout),) if layout != CONTIGUOUS and isinstance(value, Domain) else ()
            yield family.case(setting=(variant, {**options, name: value}), path="functional", layouts=placed)


def vmap(family: Family) -> Iterator[Case]:
    """Some calls at once: inputs stacked along the first or the last axis, or shared by all of them."""
    item = family.item
    free = [s for s in family.settings.values if all(d.stacks for d in item.variants[s[0]].values())]
    turns = family.turns(free, "free settings")
    for k in range(family.count if free else 0):
        setting = turns()
        names = list(item.variants[setting[0]])
        words = [("", STACKED_LAST, SHARED)[(k + i) % 3] for i in range(len(names))]
        fits = [item.variants[setting[0]][name].repeats for name in names]
        words = [word if fit or word != SHARED else "" for word, fit in zip(words, fits, strict=True)]
        if all(word == SHARED for word in words):
            words[0] = ""
        placed = tuple((n, w) for n, w in zip(names, words, strict=True) if w)
        yield family.case(setting=setting, path="vmap", layouts=placed)


def autocast(family: Family) -> Iterator[Case]:
    """Inside of a region of torch.autocast."""
    for _ in range(family.count):
        yield family.case(path="autocast")


def mixed(family: Family) -> Iterator[Case]:
    """One argument in another format than the first input: each other argument in each format in turn."""
    item = family.item
    pairs = []
    for variant, domains in item.variants.items():
        for name, domain in list(domains.items())[1:]:
            others = [f for f in DTYPES if f != family.dtype]
            others += ["int64", "uint8", "bool"] if name == [*domains][-1] else []  # the target comes last
            pairs += [(variant, name, f) for f in (others if domain.floating else ["int32", "uint8"])]
    tensors = {n for _, options in family.settings.values for n, v in options.items() if isinstance(v, Domain) and v.floating}
    held = sorted(tensors)
    pairs += [("", name, f) for name in held for f in DTYPES if f != family.dtype]
    turns = family.turns(pairs, "formats")
    for _ in range(min(family.count, len(pairs))):
        variant, name, format = turns()
        fitting = [s for s in family.settings.values if name in arguments(item, *s) and variant in ("", s[0])]
        yield family.case(setting=family.turns(fitting, family.sample)(), formats=((name, format),))


def large(family: Family) -> Iterator[Case]:
    """A mean over so many losses that their sum passes the largest number of float16, of the first variant."""
    item = family.item
    fitting = [s for s in item.shapes if s and (item.long_axes is None or -len(s) in item.long_axes)]
    if not fitting or family.dtype == "float64":
        return
    shape = fitting[0]
    across = 1
    for size in shape[1:]:
        across *= size
    rows = LARGE[family.level] // across if "elementwise" in item.tags else LARGE_ROWS
    wide = (rows, *shape[1:]) if "elementwise" in item.tags or len(shape) > 1 else shape
    settings_ = family.turns([s for s in settings(item, "quick") if s[0] == next(iter(item.variants))], "large settings")
    for _ in range(family.count):
        yield family.case(setting=settings_(), shape=wide, lane="large", reduction="mean", path="eager")


def threads(family: Family) -> Iterator[Case]:
    """Losses of so many numbers, not reduced, that two threads share them."""
    item = family.item
    if beside(family) or (family.level == "standard" and family.dtype != "float32" and "elementwise" not in item.tags):
        return
    if family.level == "standard" and family.dtype == generator("half", item.slug).choice(["float16", "bfloat16"]):
        return
    fitting = [s for s in item.shapes if s and (item.long_axes is None or -len(s) in item.long_axes)]
    shapes = family.turns([(-(-MANY // int(np.prod(s[1:]))), *s[1:]) for s in fitting if _rows(item, s)], "shape")
    for _ in range(family.count if shapes.values else 0):
        yield family.case(shape=shapes(), path=THREADS, lane="ordinary", reduction=_single(item))


def beside(family: Family) -> bool:
    """Whether a format is left to level thorough: the kernels of float64 are those of float32, and its oracle takes long."""
    return family.level == "standard" and family.dtype == "float64"


def _rows(item: Loss, shape: Shape) -> bool:
    """Whether the first axis of a shape counts losses."""
    return "elementwise" in item.tags or len(shape) > 1


def _single(item: Loss) -> str:
    """The reduction that leaves the losses as they are, where there is one."""
    return "none" if "none" in item.reductions else next(iter(item.reductions))


def rows(family: Family) -> Iterator[Case]:
    """Two rows that are long for a kernel; of a sum of many a half format keeps no digit, so there they have fewer."""
    item, long = family.item, LONG_ROWS[PRECISIONS[family.dtype].bits >= 24]
    if "elementwise" in item.tags or beside(family):
        return
    found = [s for n in long for s in lengthened(item, n, longest=n) if len(s) == 2 and s[-1] == n]
    shapes = family.turns(item.long_shapes or [(2, *s[1:]) for s in found], "shape")
    for _ in range(family.count if shapes.values else 0):
        yield family.case(shape=shapes(), path="eager", lane="ordinary", reduction=_single(item))


def classes(family: Family) -> Iterator[Case]:
    """The losses by what the class says of all classes."""
    item = family.item
    shapes = [shape for shape in item.shapes if len(shape) > 1]
    for k in range(2 * family.count if item.by_class else 0):
        path = (LIKELIHOODS, BEST)[k % 2]
        yield family.case(path=path, lane="ordinary", reduction="none", shape=shapes[k // 2 % len(shapes)])


FAMILIES = {
    "sizes": sizes, "layouts": layouts, "empty": empty, "functional options": functional_options, "vmap": vmap,
    "autocast": autocast, "mixed": mixed, "large": large, "threads": threads, "rows": rows, "classes": classes,
}  # fmt: skip


# ---- Compiled graphs ---------------------------------------------------------------------------------------------------------


def worthwhile(item: Loss, level: str, path: str, dtype: str) -> bool:
    """Whether a graph takes cases of this format. Inductor's graphs take the longest to make: but for level thorough they are
    made where inductor has sums of its own to arrange, in a format that it computes in and in one that it does not."""
    return level == "thorough" or path != "inductor" or ("elementwise" not in item.tags and dtype in ("float32", "bfloat16"))


def compiled(item: Loss, level: str, dtypes: tuple[str, ...], device: str, seed: int) -> Iterator[Case]:
    """Cases of all formats in one graph for each backend, every third in some layout, every fourth on the edges."""
    for path, count in COMPILED[level].items():
        members: list[Case] = []
        for dtype in (d for d in dtypes if worthwhile(item, level, path, d)):
            family = Family(item, path, level, dtype, device, seed, count)
            words = family.turns((CONTIGUOUS, CONTIGUOUS, *LAYOUTS[:5]), "layout")
            named = sorted({n for setting in family.settings.values for n in arguments(item, *setting)})
            edge = "elementwise" in item.tags
            for k in range(count):
                names = dict.fromkeys(named, words())
                sized = family.turns([s for n in (17, 33, 65) for s in lengthened(item, n)] or item.shapes, k)()
                if edge and k == 1:
                    members.append(family.case(path=path, lane="edge", reduction="none", shape=(33,)))
                elif set(names.values()) == {CONTIGUOUS}:
                    members.append(family.case(path=path, shape=sized))
                else:
                    members.append(_laid(family, names, path=path, shape=sized))
        group = tuple(members)
        yield from (replace(member, graph=group) for member in members)
