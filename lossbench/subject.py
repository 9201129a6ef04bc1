"""Implementations under test: torch's module or a user's class, behind one call."""

from __future__ import annotations

import contextlib
import warnings
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray
from packaging.specifiers import SpecifierSet

from benchkit.attribute import torch_class
from benchkit.domains import Domain
from benchkit.precision import PRECISIONS, Precision
from benchkit.spec import Loss, Native
from benchkit.versions import among
from lossbench.layouts import CONTIGUOUS, Laid

Array = NDArray[Any]


class Unsupported(Exception):
    """The subject has no such option, or no implementation for this format; the case says nothing about it."""


@dataclass
class Call:
    """One question to a subject: evaluate on these numbers, and differentiate by ``requires`` for each incoming gradient.

    ``path`` says how torch is to get there (paths.py). ``layouts`` holds by argument the layouts of those that are not
    contiguous (``incoming`` is the incoming gradient), ``formats`` the formats of those that are not of ``dtype``, ``stored``
    the format that the answer must have if it is not ``dtype``. ``lanes`` are the inputs of further calls that run together
    with this one, under vmap; ``fellows`` those of the cases that are compiled together with it, and its place among them.
    ``derivable`` names all that the item's gradient is by (default: the differentiable inputs).
    """

    domains: Mapping[str, Domain]
    inputs: Mapping[str, Array]
    options: Mapping[str, Any]
    arguments: Mapping[str, Any]  # reduction, or the deprecated pair that stands for it
    reduction: str
    dtype: str
    requires: Sequence[str] = ()
    upstreams: Sequence[Array] = ()
    path: str = "eager"
    layouts: Mapping[str, str] = field(default_factory=dict)
    formats: Mapping[str, str] = field(default_factory=dict)
    stored: str = ""
    lanes: Sequence[Mapping[str, Array]] = ()
    fellows: tuple[str, int, Callable[[], Sequence[Call]]] | None = None
    derivable: Sequence[str] | None = None


@dataclass
class Answer:
    """What came back: the value and, for each incoming gradient, one gradient by each required input (None: there is none)."""

    value: Array
    stored: Precision
    gradients: list[list[Array | None]] = field(default_factory=list)
    damaged: str = ""
    damage: str = "the input was changed in place"


class Subject(Protocol):
    def __call__(self, call: Call) -> Answer: ...

    def forward_mode(self, call: Call, tangents: Mapping[str, Array]) -> Answer:
        """The value, and as its only gradient the derivative along ``tangents``."""

    def double_backward(self, call: Call, directions: Mapping[str, Array]) -> Answer:
        """The value, and the gradients of sum(direction * gradient) by the required inputs and by the incoming gradient."""

    def option_gradient(self, call: Call, names: Sequence[str]) -> Answer:
        """The value, and the gradients by the tensor options of these names."""


class Arguments:
    """The tensors of one call, in their layouts, and what lies around them in memory."""

    def __init__(self, call: Call, device: str, inputs: Mapping[str, Array] | None = None) -> None:
        import torch

        self.call, self.device = call, device

        def laid(name: str, array: Array, floating: bool) -> Laid:
            own = call.formats.get(name) or (call.dtype if floating else str(array.dtype))
            return Laid(array, getattr(torch, own), device, call.layouts.get(name, CONTIGUOUS))

        self.laid = {
            n: laid(n, a, call.domains[n].floating) for n, a in (inputs or call.inputs).items() if isinstance(a, np.ndarray)
        }
        self.leaves: dict[str, Any] = {
            n: self.laid[n].tensor if n in self.laid else a for n, a in (inputs or call.inputs).items()
        }
        held = {n: laid(n, v, True) for n, v in call.options.items() if isinstance(v, np.ndarray)}
        self.options = {n: held[n].tensor if n in held else native(v) for n, v in call.options.items()}
        self.laid |= held
        self.adopted: dict[str, Any] = {}  # the parameters of the module as they were before the call
        for tensor in self.required:
            tensor.requires_grad_(True)

    @property
    def required(self) -> list[Any]:
        """What to differentiate by: inputs, parameters of the module, tensor options."""
        tensors = {**self.options, **self.leaves}
        return [tensors[n] for n in self.call.requires]

    @property
    def parameters(self) -> dict[str, str]:
        """The inputs that are parameters of the module, with their names there."""
        return {n: d.parameter for n, d in self.call.domains.items() if d.parameter}

    def adopt(self, module: Any) -> None:
        """Give the parameters of a module their values, and take them for the inputs that they are."""
        self.leaves |= fill(module, {name: self.leaves[n].detach() for n, name in self.parameters.items()}, self.parameters)
        for n in self.parameters:
            self.leaves[n].requires_grad_(n in self.call.requires)
            self.adopted[n] = self.leaves[n].detach().clone()

    def passed(self, leaves: Mapping[str, Any] | None = None) -> list[Any]:
        """What the loss is called with: the leaves, some through a log_softmax."""
        import torch

        return [
            torch.nn.functional.log_softmax(leaf, dim=-1) if self.call.domains[n].through == "log_softmax" else leaf
            for n, leaf in (leaves or self.leaves).items()
            if n not in self.parameters
        ]

    def incoming(self, upstream: Array, value: Any) -> Any:
        """An incoming gradient in its layout and the format of the value."""
        found = Laid(
            np.reshape(upstream, tuple(value.shape)), value.dtype, self.device, self.call.layouts.get("incoming", CONTIGUOUS)
        )
        self.laid["incoming gradient"] = found
        return found.tensor

    def answer(self, value: Any, gradients: list[list[Array | None]]) -> Answer:
        """The answer as numbers, once it is known to be a tensor of a format of real numbers."""
        import torch

        if not isinstance(value, torch.Tensor):
            raise TypeError(f"the loss returned {type(value).__name__}, but should return a tensor")
        name = str(value.dtype).removeprefix("torch.")
        if name not in PRECISIONS:
            raise TypeError(f"the loss returned {value.dtype}, but should return torch.{self.call.stored or self.call.dtype}")
        found = Answer(numbers(value), PRECISIONS[name], gradients)
        for argument, before in self.adopted.items():
            if not torch.equal(self.leaves[argument].detach(), before):
                found.damaged = argument
        for argument, laid in self.laid.items():
            if damage := laid.damage():
                found.damaged, found.damage = argument, damage
                break
        return found


class ModuleSubject:
    """A loss module with torch's constructor arguments: torch's own class, or the one that claims to replace it."""

    def __init__(self, item: Loss, device: str, constructor: Callable[..., Any]) -> None:
        self.item, self.device, self.constructor = item, device, constructor
        self.own = constructor is torch_class(item.path)
        self.together: dict[str, list[Answer | Exception]] = {}

    def __call__(self, call: Call) -> Answer:
        from lossbench import paths

        if (not self.own and call.path in paths.OWN) or (call.formats and not self.own):
            raise Unsupported("what torch promises of its own losses here is not asked of a class in their place")
        if call.path in paths.BACKENDS:
            return paths.compiled(self, call)
        if call.path == "vmap":
            return paths.vmapped(self, call)
        arguments = Arguments(call, self.device)
        function = self.function(call, arguments)
        with paths.shared_out(call):
            with unimplemented(lenient=bool(call.formats)), quiet(), paths.around(call, self.device):
                value = function(*arguments.passed())
            return arguments.answer(value, [self.gradients(value, arguments, upstream) for upstream in call.upstreams])

    def forward_mode(self, call: Call, tangents: Mapping[str, Array]) -> Answer:
        from torch.autograd import forward_ad

        arguments = Arguments(call, self.device)
        function = self.function(call, arguments)
        with unimplemented(UNDERIVED, lenient=not self.own), quiet(), forward_ad.dual_level():
            leaves = dict(arguments.leaves)
            for name, tangent in tangents.items():
                leaf = leaves[name].detach()
                moved = Laid(tangent, leaf.dtype, self.device, call.layouts.get(name, CONTIGUOUS))
                leaves[name] = forward_ad.make_dual(leaf, moved.tensor)
            value, moved_value = forward_ad.unpack_dual(function(*arguments.passed(leaves)))
            derivative = None if moved_value is None else numbers(moved_value)
        return arguments.answer(value, [[derivative]])

    def double_backward(self, call: Call, directions: Mapping[str, Array]) -> Answer:
        import torch

        arguments = Arguments(call, self.device)
        function = self.function(call, arguments)
        with unimplemented(), quiet():
            value = function(*arguments.passed())
        with unimplemented(UNDERIVED, lenient=not self.own), quiet():
            incoming = arguments.incoming(call.upstreams[0], value).requires_grad_(True)
            first = torch.autograd.grad(value, arguments.required, incoming, create_graph=True, allow_unused=True)
            found = [(g, directions[n]) for n, g in zip(call.requires, first, strict=True) if g is not None and g.requires_grad]
            if not found:
                raise Unsupported("the gradient has no derivative of its own: it does not require a gradient")
            weights = [Laid(d, g.dtype, self.device).tensor for g, d in found]
            second = torch.autograd.grad([g for g, _ in found], [*arguments.required, incoming], weights, allow_unused=True)
            if not self.own and all(g is None for g in second[:-1]):
                raise Unsupported("the gradient has no derivative by the inputs")
        return arguments.answer(value, [[None if g is None else numbers(g) for g in second]])

    def option_gradient(self, call: Call, names: Sequence[str]) -> Answer:
        import torch

        arguments = Arguments(call, self.device)
        options = arguments.options
        for name in names:
            options[name].requires_grad_(True)
        function = self.function(call, arguments)
        with unimplemented(UNDERIVED, lenient=not self.own), quiet():
            value = function(*arguments.passed())
            incoming = arguments.incoming(call.upstreams[0], value)
            found = torch.autograd.grad(value, [options[n] for n in names], incoming, allow_unused=True)
        return arguments.answer(value, [[None if g is None else numbers(g) for g in found]])

    def function(self, call: Call, arguments: Arguments) -> Callable[..., Any]:
        """The module made with the options of a call, or the functional form with them as arguments."""
        from lossbench import paths

        options = arguments.options
        # What stands at its default is not passed: torch's own defaults count, and a class may lack what nobody asks for.
        own = {n: values[0] for n, values in self.item.functional_options.items()}
        defaults = {**self.item.defaults, **own, "reduction": "mean", "size_average": None, "reduce": None}
        given = {
            n: v
            for n, v in {**options, **call.arguments}.items()
            if n in self.item.required or (v is not defaults[n] and not _same(v, defaults[n]))
        }
        if arguments.parameters:
            import torch

            given |= {} if call.dtype == "float32" else {"dtype": getattr(torch, call.dtype)}
            given |= {} if self.device == "cpu" else {"device": self.device}
        if call.path == "functional":
            return paths.functional(self.item, given)
        chosen = () if self.own else [n for n in given if n not in self.item.required]
        with quiet(), declining(chosen, "the constructor does not accept it"):
            module = self.constructor(**given)
        module = module.to(self.device) if hasattr(module, "to") else module
        if arguments.parameters:
            arguments.adopt(module)

        if self.item.by_class and call.path in (paths.LIKELIHOODS, paths.BEST):
            return paths.by_class(call, module, self.item.by_class)

        def answering(*inputs: Any) -> Any:
            with declining(chosen, "the class does not support it", named=True):
                return answered(self.item, call.reduction, module(*inputs))

        return answering if chosen or self.item.answers else module

    def gradients(self, value: Any, arguments: Arguments, upstream: Array) -> list[Array | None]:
        """The gradients by the required inputs for one incoming gradient."""
        import torch

        arguments.answer(value, [])  # a value that is no tensor has no gradient
        if not arguments.required:
            return []
        if not value.requires_grad and set(arguments.call.requires) <= set(arguments.parameters):
            return [None] * len(arguments.call.requires)  # parameters that this batch leaves alone
        incoming = arguments.incoming(upstream, value)
        with unimplemented(), quiet():
            found = torch.autograd.grad(value, arguments.required, incoming, retain_graph=True, allow_unused=True)
        return [None if g is None else numbers(g) for g in found]


def arguments_of(item: Loss, reduction: str) -> dict[str, Any]:
    """The constructor argument that asks for a reduction; none where the class answers with all of them."""
    return {} if item.answers else {"reduction": reduction}


def native(value: Any) -> Any:
    """An option value as torch takes it: an object of torch's own is made from its expression.

    Unsupported where the installed release does not have it.
    """
    import torch

    if not isinstance(value, Native):
        return value
    if not among(torch.__version__, SpecifierSet(value.versions)):
        raise Unsupported(f"torch {torch.__version__} does not have the value {value.label}")
    return eval(value.expression, {"torch": torch})


def fill(module: Any, values: Mapping[str, Any], parameters: Mapping[str, str]) -> dict[str, Any]:
    """Give the parameters of a module these values; its parameters by the names of the inputs that they are.

    TypeError where the module has other parameters than these, or of other shapes.
    """
    import torch

    held = dict(module.named_parameters())
    found, wanted = ({name: tuple(t.shape) for name, t in some.items()} for some in (held, values))
    if found != wanted:
        raise TypeError(f"the module has the parameters {found}, but should have {wanted}")
    with torch.no_grad():
        for name, value in values.items():
            held[name].copy_(value)
    return {input: held[name] for input, name in parameters.items()}


def answered(item: Loss, reduction: str, answer: Any) -> Any:
    """The part of an answer of several fields that holds the reduction; the answer of all other classes as it is."""
    if not item.answers:
        return answer
    name = item.answers[reduction]
    part = getattr(answer, name.removeprefix("-"), None)
    if part is None:
        raise TypeError(f"the loss returned {type(answer).__name__} without the field {name.removeprefix('-')!r}")
    return -part if name.startswith("-") else part


def _same(value: Any, default: Any) -> bool:
    """Whether a plain option stands at its default; True is not 1."""
    return type(value) is type(default) and isinstance(value, (bool, int, float, str)) and value == default


@contextlib.contextmanager
def declining(chosen: Collection[str], words: str, named: bool = False) -> Iterator[None]:
    """Turn a refusal of the options ``chosen``, all that are not at their defaults, into Unsupported: an argument that is not
    there, or a value that is not provided for. With ``named`` the exception must speak of one of them."""
    try:
        yield
    except TypeError as error:
        if named or "unexpected keyword argument" not in str(error):
            raise
        raise Unsupported(f"{words}: {error}") from error
    except ValueError as error:
        if not chosen or (named and not any(name in str(error) for name in chosen)):
            raise
        raise Unsupported(f"{words}: {error}") from error


class quiet(warnings.catch_warnings):
    """No warnings: of the mean of KLDivLoss, of deprecated arguments asked for on purpose, of vmap's slow ways."""

    def __enter__(self) -> None:
        super().__enter__()
        warnings.simplefilter("ignore")


# How torch says that it has no kernel for a format, or no derivative by an argument.
MISSING = ("not implemented for", "is not differentiable with respect to argument")
UNDERIVED = (  # and how that it has no second or forward derivative, no derivative by an argument, no batching rule
    *MISSING,
    "is not implemented",
    "has not been implemented",
    "trying to differentiate twice",
    "vmap: ",
)


class unimplemented:
    """Turn torch's ways of saying that it lacks something into Unsupported; let every other error through.

    What counts as such are the ``words`` in a RuntimeError; where ``lenient``, every error.
    """

    def __init__(self, words: Sequence[str] = MISSING, lenient: bool = False) -> None:
        self.words, self.lenient = words, lenient

    def __enter__(self) -> None:
        return None

    def __exit__(self, kind: Any, error: BaseException | None, trace: Any) -> None:
        lacking = isinstance(error, RuntimeError) and any(words in str(error) for words in self.words)
        if isinstance(error, NotImplementedError) or lacking or (self.lenient and isinstance(error, Exception)):
            raise Unsupported((str(error) or type(error).__name__).splitlines()[0]) from error


def numbers(tensor: Any) -> Array:
    """A tensor as float64 numbers on the host."""
    import torch

    return np.asarray(tensor.detach().to("cpu", torch.float64).numpy(force=True))  # a zero tensor has no memory
