"""Implementations under test: torch's module, a user's class, or a numpy formula, behind one call."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from benchkit.domains import Domain
from benchkit.precision import PRECISIONS, Precision
from benchkit.spec import Loss, Native
from lossbench.oracle import derivable, log_softmax_pullback, reduce_by_formula

Array = NDArray[Any]


class Unsupported(Exception):
    """The subject has no such option, or no implementation for this format; the case says nothing about it."""


@dataclass
class Call:
    """One question to a subject: evaluate on these numbers, and differentiate by ``requires`` for each incoming gradient.

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
    derivable: Sequence[str] | None = None


@dataclass
class Answer:
    """What came back: the value and, for each incoming gradient, one gradient by each required input (None: there is none)."""

    value: Array
    stored: Precision
    gradients: list[list[Array | None]] = field(default_factory=list)
    damaged: str = ""


class Subject(Protocol):
    def __call__(self, call: Call) -> Answer: ...


class ModuleSubject:
    """A loss module with torch's constructor arguments: torch's own class, or the one that claims to replace it."""

    def __init__(self, item: Loss, device: str, constructor: Callable[..., Any]) -> None:
        self.item, self.device, self.constructor = item, device, constructor

    def __call__(self, call: Call) -> Answer:
        import torch

        dtype = getattr(torch, call.dtype)

        def tensor(array: Array, floating: bool) -> Any:
            made = torch.from_numpy(np.array(array, copy=True))
            return made.to(device=self.device, dtype=dtype if floating else made.dtype)

        options = {n: tensor(v, True) if isinstance(v, np.ndarray) else native(v) for n, v in call.options.items()}
        for name in set(call.requires) & set(options):
            options[name].requires_grad_(True)
        module = self._build(call, options)
        leaves = {n: tensor(a, call.domains[n].floating) if isinstance(a, np.ndarray) else a for n, a in call.inputs.items()}
        parameters = {n: d.parameter for n, d in call.domains.items() if d.parameter}
        if parameters:
            leaves |= fill(module, {name: leaves[n] for n, name in parameters.items()}, parameters)
        tensors = {n: t for n, t in {**leaves, **options}.items() if isinstance(t, torch.Tensor)}
        before = [(n, t, t.detach().clone()) for n, t in tensors.items()]
        for name in {*call.requires, *parameters}:
            tensors[name].requires_grad_(name in call.requires)
        passed = [
            torch.nn.functional.log_softmax(leaf, dim=-1) if call.domains[n].through == "log_softmax" else leaf
            for n, leaf in leaves.items()
            if n not in parameters
        ]
        with unimplemented(), warnings.catch_warnings():
            warnings.simplefilter("ignore")  # the mean of KLDivLoss warns at every call; `document` says so once
            value = answered(self.item, call.reduction, module(*passed))
        if not isinstance(value, torch.Tensor):
            raise TypeError(f"the loss returned {type(value).__name__}, but should return a tensor")
        if not value.requires_grad and set(call.requires) <= set(parameters):  # parameters that this batch leaves alone
            gradients: list[list[Array | None]] = [[None] * len(call.requires) for _ in call.upstreams]
        else:
            gradients = [self._gradients(value, [tensors[n] for n in call.requires], u) for u in call.upstreams]
        damaged = next((n for n, now, then in before if not _unchanged(now.detach(), then)), "")
        name = str(value.dtype).removeprefix("torch.")
        if name not in PRECISIONS:
            raise TypeError(f"the loss returned {value.dtype}, but should return {dtype}")
        return Answer(numbers(value), PRECISIONS[name], gradients, damaged)

    def _build(self, call: Call, options: Mapping[str, Any]) -> Any:
        # What stands at its default is not passed: torch's own defaults count, and a class may lack what nobody asks for.
        defaults = {**self.item.defaults, "reduction": "mean", "size_average": None, "reduce": None}
        given = {
            n: v
            for n, v in {**options, **call.arguments}.items()
            if n in self.item.required or (v is not defaults[n] and not _same(v, defaults[n]))
        }
        if any(domain.parameter for domain in call.domains.values()):
            import torch

            given |= {} if call.dtype == "float32" else {"dtype": getattr(torch, call.dtype)}
            given |= {} if self.device == "cpu" else {"device": self.device}
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # the deprecated arguments warn, and are asked for on purpose
            try:
                module = self.constructor(**given)
            except TypeError as error:
                if "unexpected keyword argument" in str(error):
                    raise Unsupported(f"the constructor does not accept it: {error}") from error
                raise
        return module.to(self.device) if hasattr(module, "to") else module

    def _gradients(self, value: Any, leaves: Sequence[Any], upstream: Array) -> list[Array | None]:
        import torch

        if not leaves:
            return []
        incoming = torch.from_numpy(np.array(upstream, copy=True)).to(value.device, value.dtype).reshape(value.shape)
        with unimplemented():
            found = torch.autograd.grad(value, leaves, incoming, retain_graph=True, allow_unused=True)
        return [None if g is None else numbers(g) for g in found]


def arguments_of(item: Loss, reduction: str) -> dict[str, Any]:
    """The constructor argument that asks for a reduction; none where the class answers with all of them."""
    return {} if item.answers else {"reduction": reduction}


def native(value: Any) -> Any:
    """An option value as torch takes it: an object of torch's own is made from its expression."""
    import torch

    return eval(value.expression, {"torch": torch}) if isinstance(value, Native) else value


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


def _unchanged(now: Any, then: Any) -> bool:
    """Whether a tensor holds the same numbers, NaN being the same as NaN and as nothing else."""
    import torch

    return torch.equal(now.isnan(), then.isnan()) and torch.equal(now[~now.isnan()], then[~then.isnan()])


def _same(value: Any, default: Any) -> bool:
    """Whether a plain option stands at its default; True is not 1."""
    return type(value) is type(default) and isinstance(value, (bool, int, float, str)) and value == default


class unimplemented:
    """Turn torch's ways of saying that it has no kernel for a format into Unsupported; let every other error through."""

    def __enter__(self) -> None:
        return None

    def __exit__(self, kind: Any, error: BaseException | None, trace: Any) -> None:
        if isinstance(error, NotImplementedError) or (isinstance(error, RuntimeError) and _says_unsupported(str(error))):
            raise Unsupported((str(error) or type(error).__name__).splitlines()[0]) from error


def _says_unsupported(message: str) -> bool:
    return "not implemented for" in message or "is not differentiable with respect to argument" in message


def numbers(tensor: Any) -> Array:
    """A tensor as float64 numbers on the host."""
    import torch

    return np.asarray(tensor.detach().to("cpu", torch.float64).numpy())


class FormulaSubject:
    """A formula evaluated in double and rounded once: the reference itself, or one of its planted wrong versions."""

    def __init__(self, item: Loss, **replaced: Callable[..., Any]) -> None:
        self.item, self.replaced = item, replaced

    def __call__(self, call: Call) -> Answer:
        stored = PRECISIONS[call.dtype]
        options, domains = dict(call.options), call.domains
        inputs = dict(call.inputs)
        with np.errstate(all="ignore"):
            for name, domain in domains.items():
                if domain.through == "log_softmax":
                    inputs[name] = inputs[name] - np.logaddexp.reduce(inputs[name], axis=-1, keepdims=True)
            names = derivable(domains, {}) if call.derivable is None else call.derivable
            shapes = [np.shape({**inputs, **options}[name]) for name in names]
            arrays = list(inputs.values())
            found = reduce_by_formula(self.item, call.reduction, arrays, options, self.replaced, shapes=shapes)
            answer = Answer(stored.round(found.value), stored)
            for upstream in call.upstreams:
                all_of = found.pullback(upstream)
                gradients = dict(zip(names, all_of, strict=True))
                for name in call.requires:
                    if name in domains and domains[name].through == "log_softmax":
                        gradients[name] = log_softmax_pullback(gradients[name], inputs[name])
                answer.gradients.append([stored.round(gradients[n]) for n in call.requires])
        return answer
