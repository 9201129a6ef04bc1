"""The error contract of an item as declarations: what it must refuse, and which forms of a right call it must take.

A refusal says how a right call is spoiled, an acceptance how it is put otherwise without changing what it means. Both name the
words of the documentation that they follow. This module does not import torch.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from benchkit.domains import Draw, class_count

Array = NDArray[Any]
Change = Callable[[Draw, Any], Any]  # the new value of an input, from the draw and the value drawn

REFUSES, ACCEPTS = "refuses", "accepts"
CONSTRUCTOR, GROUP, ADDED = "constructor", "group", "added"  # the ways of a hyperparameter into an optimizer
WAYS = (CONSTRUCTOR, GROUP, ADDED)


class Typed(NamedTuple):
    """Numbers in a format of their own, whatever the format under test is."""

    array: Array
    dtype: str


class Text(NamedTuple):
    """A value given by its Python text, in which ``torch`` is known."""

    text: str


@dataclass(frozen=True)
class Clause:
    """One sentence of an error contract.

    ``name`` says in a few words how the call differs from a right one, and ``stated`` what the documentation says of it: empty
    where it says nothing, and torch's own checks or common sense decide. ``options`` are the constructor's arguments that
    differ (a function makes its value from the draw), and ``inputs`` how each input of a loss is changed; ``variant`` and
    ``shapes`` are those of the right call (default: the first variant, all shapes). ``paths`` are the paths on which the clause
    holds (default: all). ``compiled`` says that it is tried in compiled code below level thorough, too.

    For an optimizer ``lines`` are the Python text of the call where options do not say it, which sets ``answer``, and ``sound``
    that of the right call where it is not the usual one; ``optimbench.contract`` defines the words known in them. ``ways`` are
    the ways that options take into an optimizer.
    """

    name: str
    stated: str = ""
    options: Mapping[str, Any] = field(default_factory=dict)
    inputs: Mapping[str, Change] = field(default_factory=dict)
    variant: str | None = None
    shapes: Sequence[tuple[int, ...]] | None = None
    lines: str = ""
    sound: str = ""
    ways: Sequence[str] = (CONSTRUCTOR,)
    paths: Sequence[str] | None = None
    compiled: bool = False


@dataclass(frozen=True)
class Refusal(Clause):
    """A call that must raise an exception, which ``error`` names where the documentation does.

    ``binding`` says that any answer would be meaningless, so that no implementation at all may give one; else only torch is
    held to it. ``foreign`` says that whoever answers has touched foreign memory. With ``or_nan`` NaN is as good as an
    exception: the caller is told.
    """

    error: str = ""
    binding: bool = False
    foreign: bool = False
    or_nan: bool = False


@dataclass(frozen=True)
class Acceptance(Clause):
    """A call that must work, and give what the right call gives unless it is ``different`` by intent."""

    different: bool = False


# ---- How an input is changed -------------------------------------------------------------------------------------------------


def last(value: float | Callable[[Draw], float]) -> Change:
    """The last number replaced."""
    return _replaced(-1, value)


def first(value: float | Callable[[Draw], float]) -> Change:
    """The first number replaced."""
    return _replaced(0, value)


def _replaced(place: int, value: float | Callable[[Draw], float]) -> Change:
    def change(draw: Draw, array: Array) -> Array:
        found = np.array(array, copy=True)
        found[(place,) * found.ndim] = value(draw) if callable(value) else value
        return found

    return change


def shaped(function: Callable[[Array], Array]) -> Change:
    """The numbers in another shape, or some of them."""
    return lambda draw, array: np.asarray(function(array))


def cast(dtype: str) -> Change:
    """The numbers in another format."""
    return lambda draw, array: Typed(array, dtype)


def given(value: Any) -> Change:
    """Another value altogether."""
    return lambda draw, array: value


# ---- Clauses that many items share -------------------------------------------------------------------------------------------


SAME_SHAPE = "Target: same shape as the input"


def unlike(
    *names: str,
    stated: str = SAME_SHAPE,
    axes: int = 2,
    shape: tuple[int, ...] = (4, 5),
    but: Sequence[str] = (),
    **fields: Any,
) -> list[Refusal]:
    """Inputs that should have the shape of the others and have one that would broadcast, or one that fits nothing.

    ``shape`` is that of the right call, and ``axes`` those of the inputs named; the forms that ``but`` names are left out.
    """
    broadcasting: dict[str, Callable[[Array], Array]] = {
        "one row": lambda a: a[:1],
        "its last row alone": lambda a: a[-1],
        "a further axis in front": lambda a: a[None],
    }
    fitting_nothing: dict[str, Callable[[Array], Array]] = {"a row less": lambda a: a[:-1]}
    if axes > 1:
        broadcasting["one column"] = lambda a: a[:, :1]
        fitting_nothing |= {"a further axis behind": lambda a: a[..., None], "a column less": lambda a: a[:, :-1]}
    else:
        broadcasting["a further axis behind"] = lambda a: a[..., None]
    kinds = {"that broadcasts,": broadcasting, "of": fitting_nothing}
    return [
        Refusal(f"{name} {kind} {form}", stated, inputs={name: shaped(function)}, shapes=[shape], **fields)
        for name in names
        for kind, forms in kinds.items()
        for form, function in forms.items()
        if form not in but
    ]


def misfit(name: str = "target", stated: str = SAME_SHAPE, suffix: str = "", **fields: Any) -> list[Refusal]:
    """An input whose shape fits that of the others in no way."""
    forms: dict[str, Callable[[Array], Array]] = {"a row less": lambda a: a[:-1], "a column less": lambda a: a[:, :-1]}
    return [
        Refusal(f"{name} of {form}{suffix}", stated, inputs={name: shaped(function)}, shapes=[(4, 5)], **fields)
        for form, function in forms.items()
    ]


def half_broadcast(name: str = "target", stated: str = SAME_SHAPE) -> Refusal:
    """An input (2, 1) and a target (2, 1, 1, 1), which broadcast to (2, 1, 2, 1): thread 4938 of torch."""
    return Refusal(
        f"{name} that broadcasts, two further axes",
        stated,
        inputs={name: shaped(lambda a: a[..., None, None])},
        shapes=[(2, 1)],
    )


def weights_unlike(stated: str = "") -> list[Refusal]:
    """Weights of the functional form alone, one for each element, of another shape than the input."""
    forms: dict[str, Callable[[tuple[int, ...]], Array]] = {
        "one row": lambda shape: np.ones((1, *shape[1:])),
        "its last row alone": lambda shape: np.ones(shape[1:]),
        "one": lambda shape: np.ones(()),
        "a row less": lambda shape: np.ones((shape[0] - 1, *shape[1:])),
    }

    def weights(form: Callable[[tuple[int, ...]], Array]) -> Callable[[Draw], Array]:
        return lambda draw: form(draw.shape)

    return [
        Refusal(f"weight of {words}", stated, options={"weight": weights(form)}, shapes=[(4, 5)], paths=("functional",))
        for words, form in forms.items()
    ]


def out_of_range(
    name: str = "target",
    *,
    stated: str,
    count: Callable[[Draw], int] = class_count,
    place: Callable[[float | Callable[[Draw], float]], Change] = last,
    also: Mapping[str, Change] | None = None,
    least: int | None = 0,
    suffix: str = "",
    compiled: bool = True,
    **fields: Any,
) -> list[Refusal]:
    """Class indices that name no class: the number of classes, far above, below the ``least``, far below.

    Whoever answers has read memory that is not the tensor's. The index -1 is asked of torch alone: Python's indexing means the
    last class by it. ``place`` says which index is replaced, and ``also`` what must change with it so that it counts.
    """
    values: dict[str, tuple[float | Callable[[Draw], float], bool]] = {
        "of the number of classes": (count, True),
        "2**32": (2.0**32, True),
    }
    if least is not None:
        values |= {f"{least - 1}": (least - 1, False), "-99": (-99, True)}
    tried_compiled = (count, None if least is None else least - 1)
    return [
        Refusal(
            f"{name} {words}{suffix}",
            stated,
            inputs={name: place(value), **(also or {})},
            binding=binding,
            foreign=True,
            compiled=compiled and value in tried_compiled,
            **fields,
        )
        for words, (value, binding) in values.items()
    ]


def wrong_format(name: str, *dtypes: str, stated: str = "", **fields: Any) -> list[Refusal]:
    """An input in a format that is none of those it may have."""
    return [
        Refusal(f"{name} in {dtype}", stated, inputs={name: cast(dtype)}, compiled=dtype in ("int32", "bool"), **fields)
        for dtype in dtypes
    ]


def wrong_weights(stated: str, suffix: str = "", count: Callable[[Draw], int] = class_count, **fields: Any) -> list[Refusal]:
    """Class weights of another number than there are classes, or of another shape."""
    forms: dict[str, Callable[[int], Array]] = {
        "one too few": lambda classes: np.ones(classes - 1),
        "one too many": lambda classes: np.ones(classes + 1),
        "of one number": lambda classes: np.ones(1),
        "of two axes": lambda classes: np.ones((1, classes)),
    }

    def weights(form: Callable[[int], Array]) -> Callable[[Draw], Array]:
        return lambda draw: form(count(draw))

    return [
        Refusal(f"weight {words}{suffix}", stated, options={"weight": weights(form)}, **fields) for words, form in forms.items()
    ]


def labels(*values: float, stated: str, name: str = "target", **fields: Any) -> list[Refusal]:
    """A label that is none."""
    return [Refusal(f"label {value}", stated, inputs={name: last(value)}, **fields) for value in values]


def no_number(*names: str, **fields: Any) -> list[Refusal]:
    """NaN for an option that is a number: whoever answers with a number has not looked at it.

    An option that not every number of the input needs asks for ``inputs`` that do.
    """
    return [Refusal(f"{name} nan", options={name: float("nan")}, or_nan=True, **fields) for name in names]


# ---- Optimizers --------------------------------------------------------------------------------------------------------------


def at_least(name: str, low: float = 0.0, *, ways: Sequence[str] = WAYS, make: Callable[[float], Any] = float) -> list[Clause]:
    """A hyperparameter that may not be below ``low``, and may be ``low``; ``make`` makes its value of the number."""
    return between(name, low, None, ways=ways, make=make)


def negative(name: str) -> Refusal:
    """A hyperparameter that may not be negative; of 0 nothing is said."""
    return Refusal(f"{name}=-0.5", options={name: -0.5}, ways=WAYS)


def between(
    name: str,
    low: float | None,
    high: float | None,
    *,
    ways: Sequence[str] = WAYS,
    ends: Sequence[float] | None = None,
    make: Callable[[float], Any] = float,
) -> list[Clause]:
    """A hyperparameter of a range; ``ends`` are those ends that belong to it (default: both)."""
    nan = float("nan")
    found: list[Clause] = [Refusal(f"{name}={make(nan)}", options={name: make(nan)}, or_nan=True)]
    for end, outside in ((low, -0.5), (high, 0.5)):
        if end is None:
            continue
        if ends is None or end in ends:
            found.append(Acceptance(f"{name}={make(end)}", options={name: make(end)}, different=True))
        else:
            outside = 0.0
        value = make(end + outside)
        found.append(Refusal(f"{name}={value}", options={name: value}, ways=ways))
    return found


def decay_rates(*, ways: Sequence[str] = WAYS) -> list[Clause]:
    """The betas of the Adam family: each in [0, 1)."""
    return [
        *between("betas", 0.0, 1.0, ends=[0.0], ways=ways, make=lambda x: (x, 0.99)),
        *between("betas", 0.0, 1.0, ends=[0.0], ways=ways, make=lambda x: (0.9, x)),
        Refusal("one beta", "betas (tuple[float, float])", options={"betas": (0.9,)}),
        Refusal("three betas", "betas (tuple[float, float])", options={"betas": (0.9, 0.99, 0.999)}),
    ]


EVERY_PATH = ("forloop", "foreach", "fused")  # as many of them as the item has
SPARSE = "only a limited number of optimizers support sparse gradients: SGD, SparseAdam and Adagrad (torch.nn.Embedding)"
NO_SPARSE_GRADIENTS = [
    Refusal("a sparse gradient", SPARSE, lines="answer = step(make([p]), sparse)", paths=EVERY_PATH),
    Refusal(
        "a dense and a sparse gradient",
        SPARSE,
        lines="answer = step(make([p, q]), lambda x: sparse(x) if x is q else dense(x))",
        paths=EVERY_PATH,
    ),
]


def sparse_gradients(*paths: str) -> Acceptance:
    """Sparse gradients, on the paths that take them."""
    return Acceptance("a sparse gradient", SPARSE, lines="answer = step(make([p, q]), sparse)", paths=paths)


def no_sparse_gradients(*paths: str, stated: str = "") -> list[Refusal]:
    """Sparse gradients, on the paths that do not take them."""
    return [replace(refusal, paths=paths, stated=stated) for refusal in NO_SPARSE_GRADIENTS]


NO_COMPLEX = [
    Refusal("a complex parameter", lines="p, q = parameters(torch.complex64)\nanswer = step(make([p, q]))"),
    Refusal(
        "a complex parameter added",
        lines="""\
_, q = parameters(torch.complex64)
optimizer = make([p])
optimizer.add_param_group({"params": [q]})
answer = step(optimizer)""",
    ),
]
FUSED_ALONE = [
    Refusal("fused with foreach", lines="answer = step(make([p, q], foreach=True))", paths=("fused",)),
    Refusal("fused with differentiable", lines="answer = step(make([p, q], differentiable=True))", paths=("fused",)),
]
