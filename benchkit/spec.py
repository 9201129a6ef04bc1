"""Declarations: everything that is known of one torch class, said once, next to its formula.

A file under ``reference/`` declares one item. Verification, timing, plots and pages iterate over the declarations, so a fact
about an item is a field here and never an ``if`` on its name somewhere else. This module imports neither torch nor numpy.
"""

from __future__ import annotations

import functools
import inspect
import textwrap
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from benchkit.contract import Clause

Function = Callable[..., Any]


def computed_in(precision: str) -> Callable[[Function], Function]:
    """Decorator: a part of a formula that is defined in a format of its own, whatever the format of its first argument.

    On plain numbers the part is what it says. On numbers with an error bound the bound is that of its own format.
    """

    def decorate(function: Function) -> Function:
        @functools.wraps(function)
        def part(x: Any, *args: Any) -> Any:
            evaluate = getattr(x, "computed_in", None)
            return function(x, *args) if evaluate is None else evaluate(precision, function, *args)

        return part

    return decorate


@functools.cache
def _definition(function: Function) -> str:
    """The source of a function without its decorators."""
    text = textwrap.dedent(inspect.getsource(function))
    return text[text.index("def ") :]


def _compiled(text: str, name: str, around: dict[str, Any]) -> Function:
    """The one function that a text defines, which sees the names ``around`` it."""
    scope: dict[str, Any] = {}
    exec(compile(text, name, "exec"), around, scope)
    (function,) = scope.values()
    return function


def _rebuilt(around: dict[str, Any], name: str, text: str, label: str) -> dict[str, Any]:
    """The names of a file with the function ``name`` defined by this text, and its functions made anew, so that they see it."""
    scope = dict(around)
    for known, function in around.items():
        if _is_of(function, known, around):
            exec(compile(text if known == name else _definition(function), label, "exec"), scope)
    return scope


def _is_of(function: Any, known: str, around: dict[str, Any]) -> bool:
    """Whether a name of a file is that of a function which the file itself defines, decorated or not."""
    inner = inspect.unwrap(function) if inspect.isfunction(function) else None
    return inspect.isfunction(inner) and inner.__name__ == known and inner.__globals__ is around


@dataclass(frozen=True)
class Planted:
    """A believable wrong version of one part of an item; the suite must tell it from the right one.

    ``part`` names what it replaces: ``value``, ``gradient``, ``step``, ``initial`` or the name of a reduction; ``incoming``
    is what becomes of the incoming gradient before it meets the derivative, which by rights is nothing. A ``subject`` is no
    formula: the function gets torch's class and gives the broken one that comes in its place. ``thread`` is the upstream
    thread when the fault was real once. ``where`` is a piece of the ids of the cases that are to tell it (default: all).
    """

    name: str
    part: str
    function: Function
    thread: str = ""
    where: str = ""


@dataclass(frozen=True)
class Equivalent:
    """An edit, or a generic bug, that leaves the item right: its text, the function that it is in (or ""), and why."""

    edit: str
    within: str
    why: str


@dataclass(frozen=True)
class Tabulated:
    """A step of an optimizer whose closure answers from a table, so that its search comes to a branch that few functions reach.

    ``answers`` are what the evaluations give, one after the other, as pairs of the loss and the first component of the
    gradient, whose others are 0; the last one stands for all that follow. The parameters begin at 0.
    """

    name: str
    options: Mapping[str, Any]
    answers: Sequence[tuple[float, float]]


@dataclass(frozen=True)
class Native:
    """An option value that is an object of torch's own, such as a distance function.

    ``expression`` is its Python text, in which ``torch`` is known: it is evaluated where the subject is built, and printed in
    reproducers. ``formula`` is what it means to the reference. ``label`` stands for it in case ids. ``dtypes`` are the
    formats that torch allows it with (default: all), ``versions`` the releases of torch that have it, such as ``<2.14``.
    """

    label: str
    expression: str
    formula: Any = None
    dtypes: Sequence[str] = ()
    versions: str = ""


@dataclass(frozen=True)
class Figure:
    """The natural one-dimensional view of a loss: ``inputs(x)`` gives the arguments of the formula on the grid ``x``.

    ``span`` is the range of ``x`` and ``options`` the family of curves (each a dict of options, its values are the label).
    The formula must return one loss for each ``x``; ``gradient`` names the derivative drawn beside it as a function of
    the tuple that the item's gradient returns (default: its first entry, the derivative by the first input).
    """

    xlabel: str
    span: tuple[float, float]
    inputs: Callable[[Any], tuple[Any, ...]]
    options: Sequence[Mapping[str, Any]] = ({},)
    gradient: Callable[..., Any] | None = None


@dataclass(eq=False)
class Item:
    """One torch class: its name, its formula, its option grid and its planted bugs.

    ``options`` lists the values of every option, torch's default first; ``edge_options`` the values at the ends of what is
    allowed. ``together`` lists sets of values that are to meet, three or more at once, or an edge value where it tells
    (pairs meet anyway). ``valid`` says which combinations the constructor accepts (default: all). ``required`` names the
    options for which torch's constructor has no default: the first value is ours, and always passed. ``contract`` is what the
    item must refuse and which forms of a right call it must take, beside what holds for every loss or every optimizer.
    """

    path: str
    function: Function
    options: Mapping[str, Sequence[Any]] = field(default_factory=dict)
    edge_options: Mapping[str, Sequence[Any]] = field(default_factory=dict)
    together: Sequence[Mapping[str, Any]] = ()
    valid: Callable[[Mapping[str, Any]], bool] | None = None
    required: Sequence[str] = ()
    tags: frozenset[str] = frozenset()
    source: str = ""
    document: str = ""
    contract: Sequence[Clause] = ()
    planted_bugs: list[Planted] = field(default_factory=list)
    equivalents: list[Equivalent] = field(default_factory=list)

    @property
    def name(self) -> str:
        """The class name, ``SmoothL1Loss``."""
        return self.path.rpartition(".")[2]

    @property
    def slug(self) -> str:
        """The name of the formula, ``smooth_l1``; it begins every case id."""
        return self.function.__name__

    @property
    def doc(self) -> str:
        """The docstring of the formula: what it is, ties, where torch differs, source."""
        return self.function.__doc__ or ""

    @property
    def defaults(self) -> dict[str, Any]:
        """The first value of every option: torch's default."""
        return {name: values[0] for name, values in self.options.items()}

    def planted(self, name: str, part: str = "", thread: str = "", where: str = "") -> Callable[[Function], Function]:
        """Decorator: declare a wrong version of ``part`` (default: the formula itself)."""

        def register(function: Function) -> Function:
            self.planted_bugs.append(Planted(name, part or self.main_part, function, thread, where))
            return function

        return register

    def wrong(self, name: str, old: str, new: str, part: str = "", thread: str = "", helper: Function | None = None) -> None:
        """Declare a wrong version by its difference: the source of ``part`` with ``old`` replaced by ``new``.

        With ``helper``, a function of the same file that ``part`` calls, directly or through others, it is the source of that
        one. ``old`` must occur exactly once in the source text, or ValueError names the item and the text.
        """
        part = part or self.main_part
        right = self.part(part)
        edited = helper or right
        text = _definition(edited)
        if text.count(old) != 1:
            raise ValueError(
                f"{self.name}: the planted bug {name!r} edits {old!r}, which occurs {text.count(old)} times in "
                f"{helper.__name__ if helper else part}"
            )
        around, label = right.__globals__, f"<{self.slug}: {name}>"
        if helper:
            around = _rebuilt(around, helper.__name__, text.replace(old, new), label)
            text = _definition(right)
        else:
            text = text.replace(old, new)
        self.planted_bugs.append(Planted(name, part, _compiled(text, label, around), thread))

    def equivalent(self, *edits: str, why: str, within: str = "") -> None:
        """Declare automatic edits, each as ``before → after``, or generic bugs by name, under which the item stays right.

        ``within`` names the function where the same text occurs in several. One that matches no edit, or whose edit is told
        from the right version, fails the proof.
        """
        self.equivalents += [Equivalent(edit, within, why) for edit in edits]

    def part(self, part: str) -> Function:
        """The function that a planted bug of ``part`` replaces."""
        found = self.parts().get(part)
        if found is None:
            raise ValueError(f"{self.name} has no part {part!r}; it has {', '.join(self.parts())}")
        return found

    def parts(self) -> dict[str, Function]:
        """The functions of the declaration by the names that planted bugs use."""
        return {self.main_part: self.function}

    main_part = ""

    def __call__(self, *args: Any, **options: Any) -> Any:
        """Evaluate the formula."""
        return self.function(*args, **options)


@dataclass(eq=False)
class Loss(Item):
    """A loss: ``function(*inputs, **options)`` gives the unreduced losses, each from the slice along ``row_axes`` of the input.

    ``inputs`` is one mapping from argument name to domain, or several by the name of the variant (class indices and class
    probabilities are two variants of the cross entropy). ``reductions`` maps a reduction's name to its denominator:
    ``None`` for the number of unreduced losses, or a function of the inputs and options (a scalar, or one number for
    each loss). ``legacy`` says that the constructor takes the deprecated size_average and reduce. A class that takes no
    reduction and answers with several fields names in ``answers`` the field of each reduction, after a minus sign where it
    holds the negative.

    For timing: ``family`` puts losses together that share a figure. ``operations_per_element`` counts the arithmetic of a
    forward pass, a function such as exp as one operation. ``row_lengths`` names the axes of a row and the lengths that they
    are timed with, what is usual first. Of the inputs in ``gathered`` one element of each row is read, of all others every one.
    ``library`` names a library that torch may leave the loss to on an accelerator, and gives the inputs the form that it
    asks for: a function of the inputs by name, all of them arrays.

    ``functional`` is the name of the functional form within torch.nn.functional (default: the slug and ``_loss``; "" where
    there is none), ``functional_options`` are the options that only it takes, given as ``options`` are; the formula has the
    same defaults. ``long_axes`` are the axes of a shape that may be made long to fill vector registers, counted from the end
    (default: all), ``long_shapes`` shapes that are long for a kernel of rows (default: two long rows). ``example`` is a right
    call from which the error contract starts where it cannot be drawn from the inputs and options: a function of the draw that
    gives the constructor's arguments and the inputs. It is in float32. ``by_class`` are the methods of the class that give the
    logarithms of the probabilities of all classes, and the best class, for a batch of rows.
    """

    inputs: Mapping[str, Any] = field(default_factory=dict)
    shapes: Sequence[tuple[int, ...]] = ((7,), (4, 5), (2, 3, 4))
    edge_shapes: Sequence[tuple[int, ...]] = ((0,), (1,))
    row_axes: Any = ()
    reductions: dict[str, Function | None] = field(default_factory=dict)
    gradient_function: Function | None = None
    family: str = ""
    operations_per_element: float = 0.0
    row_lengths: Sequence[Mapping[str, int]] = ()
    gathered: Sequence[str] = ()
    library: tuple[str, Function] | None = None
    figure: Figure | None = None
    legacy: bool = True
    answers: Mapping[str, str] = field(default_factory=dict)
    functional: str | None = None
    functional_options: Mapping[str, Sequence[Any]] = field(default_factory=dict)
    long_axes: Sequence[int] | None = None
    long_shapes: Sequence[tuple[int, ...]] = ()
    by_class: tuple[str, str] | None = None
    example: Callable[[Any], tuple[Mapping[str, Any], Mapping[str, Any]]] | None = None
    main_part = "value"

    def parts(self) -> dict[str, Function]:
        found = {"value": self.function, **{name: f for name, f in self.reductions.items() if f is not None}}
        return found | ({"gradient": self.gradient_function} if self.gradient_function else {})

    @property
    def functional_name(self) -> str:
        """The functional form as a path, ``torch.nn.functional.smooth_l1_loss``; "" where torch has none."""
        name = f"{self.slug}_loss" if self.functional is None else self.functional
        return name and f"torch.nn.functional.{name}"

    @property
    def variants(self) -> dict[str, Mapping[str, Any]]:
        """The sets of input domains by variant name; the only variant of most losses is called ``""``."""
        first = next(iter(self.inputs.values()))
        return dict(self.inputs) if isinstance(first, Mapping) else {"": self.inputs}

    def gradient(self, function: Function) -> Function:
        """Decorator: the derivative of each unreduced loss by every differentiable input, as a tuple in input order.

        The derivatives by differentiable options that are tensors follow. A derivative has the shape of its input, or a
        shape that this broadcasts to; where many losses share an input, its shape is that of the losses, then that of the
        input.
        """
        self.gradient_function = function
        return function

    def denominator(self, reduction: str) -> Callable[[Function], Function]:
        """Decorator: what the sum of the losses is divided by under ``reduction``."""

        def register(function: Function) -> Function:
            self.reductions[reduction] = function
            return function

        return register


@dataclass(eq=False)
class Optimizer(Item):
    """An optimizer: ``function(p, g, state, **options)`` gives the new parameter and the new state, and damages neither.

    ``initial`` builds the state before the first step, named as ``state_dict`` names it. ``paths`` lists the implementations
    that torch has (``forloop``, ``foreach``, ``fused``). ``exact_options`` are sets of dyadic values for the exact lane,
    where the item has one.
    ``scratch`` names what torch keeps in the state between steps though no later step reads it.
    ``shapes`` holds for every sample the shapes of the parameters of two groups, where the item does not take any shape.
    ``running`` names the numbers of the state that a step brings up to date before it reads them, so that they reach the
    parameter in the format that holds them.
    ``multiples`` holds by name of a state tensor a factor, as a function of the options, by which an implementation may hold
    it without any effect on the parameter.
    ``masks`` names the item of whose algorithm this one is documented to be the masked version.
    ``bytes_per_element`` is the least traffic of a step in multiples of the element size, ``operations_per_element`` its
    arithmetic (0: it depends on more than the number of elements); ``read_again`` is how much of that traffic reads what was
    read before, since all of a tensor must be known first.
    ``curves`` are options with which it is compared beside its defaults. ``companion`` names the item that is documented to
    train the parameters which this one does not take. ``learning_rates`` are those to tune over, where the usual ones do not
    suit it: the lowest, the highest, and how many at equal ratios.
    ``tabulated`` are steps on the exact lane of an item that takes a closure.
    """

    initial_function: Function | None = None
    resolve_function: Function | None = None
    paths: Sequence[str] = ("forloop", "foreach")
    bytes_per_element: float = 0.0
    read_again: float = 0.0
    operations_per_element: float = 0.0
    exact_options: Sequence[Mapping[str, Any]] = ()
    scratch: Sequence[str] = ()
    shapes: Sequence[tuple[tuple[tuple[int, ...], ...], ...]] = ()
    running: Sequence[str] = ()
    multiples: Mapping[str, Function] = field(default_factory=dict)
    masks: str = ""
    curves: Sequence[Mapping[str, Any]] = ()
    companion: str = ""
    learning_rates: tuple[float, float, int] | None = None
    tabulated: Sequence[Tabulated] = ()
    main_part = "step"

    def parts(self) -> dict[str, Function]:
        return {"step": self.function} | ({"initial": self.initial_function} if self.initial_function else {})

    def initial(self, function: Function) -> Function:
        """Decorator: the state before the first step, ``initial(p, **options) -> dict``."""
        self.initial_function = function
        return function

    def resolve(self, function: Function) -> Function:
        """Decorator: options that stand for a number of the format, ``resolve(options, epsilon) -> options``.

        ``epsilon`` is the distance from 1 to the next number of the parameter's format.
        """
        self.resolve_function = function
        return function

    def given(self, options: Mapping[str, Any], epsilon: float) -> dict[str, Any]:
        """The options as the formula takes them for a format of that ``epsilon``."""
        return dict(options) if self.resolve_function is None else self.resolve_function(dict(options), epsilon)


LOSSES: dict[str, Loss] = {}
OPTIMIZERS: dict[str, Optimizer] = {}


def loss(path: str, *, tags: Iterable[str] = (), **fields: Any) -> Callable[[Function], Loss]:
    """Decorator: declare the formula of the loss that torch calls ``path``."""

    def register(function: Function) -> Loss:
        item = Loss(path=path, function=function, tags=frozenset(tags), **fields)
        reductions = item.answers or ("mean", "sum", "none")
        item.reductions = {**dict.fromkeys(reductions), **item.reductions}
        LOSSES[item.name] = item
        return item

    return register


def optimizer(path: str, *, tags: Iterable[str] = (), **fields: Any) -> Callable[[Function], Optimizer]:
    """Decorator: declare the step of the optimizer that torch calls ``path``."""

    def register(function: Function) -> Optimizer:
        item = Optimizer(path=path, function=function, tags=frozenset(tags), **fields)
        OPTIMIZERS[item.name] = item
        return item

    return register
