"""The reference of a loss put together: formula, reduction, incoming gradient, and log_softmax where the input goes through it.

Written once for plain float64 arrays, for balls and for dual numbers alike.
"""

from __future__ import annotations

import functools
import operator
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from benchkit.balls import Ball, Rules, floats, lift
from benchkit.domains import Domain
from benchkit.duals import Dual
from benchkit.precision import PRECISIONS
from benchkit.spec import Loss


@dataclass
class Evaluation:
    """A reduced loss, its pullback (from the incoming gradient to the gradients by every differentiable input) and its
    pushforward (from tangents of the differentiable inputs, None for those at rest, to that of the reduced loss; a mean divides
    its sum or, ``by_term``, every term)."""

    value: Any
    pullback: Callable[[Any], list[Any]]
    pushforward: Callable[..., Any]


def reduce_by_formula(
    item: Loss,
    reduction: str,
    inputs: Sequence[Any],
    options: Mapping[str, Any],
    replaced: Mapping[str, Callable[..., Any]] | None = None,
    slopes_at: Sequence[Any] | None = None,
    product: Callable[[Any, Any], Any] = operator.mul,
    shapes: Sequence[tuple[int, ...]] | None = None,
) -> Evaluation:
    """Evaluate the formula of an item under a reduction; ``replaced`` puts wrong versions in the place of its parts.

    ``slopes_at`` are the same inputs for the derivative, if it is to be taken under other rules than the value, and ``product``
    multiplies the incoming gradient with the derivative. ``shapes`` are those of what the derivatives are by (default: each
    derivative has the shape of its input already).
    """
    parts = {**item.parts(), **(replaced or {})}
    losses = parts["value"](*inputs, **options)
    undefined = np.isnan(losses)
    divisor: Any = None
    if reduction not in ("none", "sum"):
        denominator = parts.get(reduction)
        divisor = float(losses.size) if denominator is None else denominator(*inputs, **options)

    def reduced(each: Any, by_term: bool = False) -> Any:
        if reduction == "none":
            return each
        if divisor is None:
            return np.sum(each)
        return np.sum(each) / divisor if np.ndim(divisor) == 0 and not by_term else np.sum(each / divisor)

    @functools.cache
    def slopes() -> Any:
        return parts["gradient"](*(inputs if slopes_at is None else slopes_at), **options)

    def row_axes() -> Any:
        return item.row_axes(inputs[0]) if callable(item.row_axes) else item.row_axes

    def pullback(upstream: Any) -> list[Any]:
        upstream = parts["incoming"](upstream) if "incoming" in parts else upstream
        share = upstream if divisor is None else upstream / divisor
        share = np.broadcast_to(share, losses.shape)
        axes = row_axes()
        share = np.where(undefined, np.nan, share)  # where a loss is NaN it has no derivative
        wanted = [np.shape(slope) for slope in slopes()] if shapes is None else shapes
        return [collect(share, slope, axes, shape, product) for slope, shape in zip(slopes(), wanted, strict=True)]

    def pushforward(tangents: Sequence[Any], by_term: bool = False) -> Any:
        axes = row_axes()
        moves = [spread(slope, t, axes, losses.shape) for slope, t in zip(slopes(), tangents, strict=True) if t is not None]
        return reduced(np.where(undefined, np.nan, functools.reduce(operator.add, moves)), by_term)

    return Evaluation(reduced(losses), pullback, pushforward)


def collect(share: Any, slope: Any, axes: Any, shape: tuple[int, ...], product: Callable[[Any, Any], Any]) -> Any:
    """The gradient by an input of ``shape`` from the shares of the losses and the derivative of each of them.

    Summed over the losses where these share the input (the derivative's shape is that of the losses, then that of the
    input), and over the axes along which the input was broadcast.
    """
    if np.shape(slope) == np.shape(share) + shape:
        flowing = product(np.reshape(share, np.shape(share) + (1,) * len(shape)), slope)
        return np.sum(flowing, axis=tuple(range(np.ndim(share)))) if np.ndim(share) else flowing
    flowing = product(share if axes == () else np.expand_dims(share, axes), slope)
    if flowing.shape == shape:
        return flowing
    missing = len(flowing.shape) - len(shape)
    stretched = tuple(missing + i for i, n in enumerate(shape) if n == 1 and flowing.shape[missing + i] != 1)
    return np.reshape(np.sum(flowing, axis=(*range(missing), *stretched), keepdims=True), shape)


def spread(slope: Any, tangent: Any, axes: Any, losses: tuple[int, ...]) -> Any:
    """What the losses move by when one input moves along its tangent: the other way round than ``collect``."""
    move = slope * tangent
    own = np.ndim(move) - len(losses)  # the axes of an input that the losses share come after theirs
    if np.shape(slope) == losses + np.shape(tangent) and own and axes != ():
        return np.sum(move, axis=tuple(range(-np.ndim(tangent), 0)))
    return move if axes == () else np.sum(move, axis=axes)


def derivable(domains: Mapping[str, Domain], options: Mapping[str, Any]) -> list[str]:
    """What the gradient of an item is by: the differentiable inputs, then the differentiable options that are tensors."""
    return [n for n, d in {**domains, **options}.items() if isinstance(d, Domain) and d.differentiable]


def chain(incoming: Ball, slope: Any) -> Ball:
    """The chain rule in the format under test: where the derivative itself is beyond its range, the product may be lost."""
    slope = lift(slope, incoming.rules)
    product = incoming * slope
    lost = np.isfinite(floats(slope.value)) & (np.abs(floats(slope.value)) > slope.rules.precision.largest)
    lost &= np.abs(floats(product.value)) <= slope.rules.precision.largest
    return Ball(product.value, np.where(lost, np.inf, product.radius), product.rules, product.spread)


def log_softmax(x: Any) -> Any:
    """The logarithm of the softmax along the last axis."""
    return x - np.logaddexp.reduce(x, axis=-1, keepdims=True)


def log_softmax_pullback(gradient: Any, log_probabilities: Any) -> Any:
    """The gradient by the argument of log_softmax from that by its result."""
    return gradient - np.exp(log_probabilities) * np.sum(gradient, axis=-1, keepdims=True)


def log_softmax_pushforward(tangent: Any, log_probabilities: Any) -> Any:
    """The tangent of the result of log_softmax from that of its argument."""
    return tangent - np.sum(np.exp(log_probabilities) * tangent, axis=-1, keepdims=True)


@dataclass(frozen=True)
class Arithmetic:
    """What the formula runs on: ``hold(array, at_kinks)`` makes an operand of an array that the subject holds, ``product`` is
    that of an incoming gradient and a derivative."""

    hold: Callable[[Any, bool], Any] = lambda array, at_kinks: array
    product: Callable[[Any, Any], Any] = operator.mul


PLAIN = Arithmetic()


def balls(rules: Rules, mixed: bool = False) -> Arithmetic:
    """Ball arithmetic; where formats are ``mixed``, what is held in a finer one is rounded on its way into an operation."""
    at_kinks = Rules(rules.precision, rules.exact, True, rules.extended, rules.cascaded)

    def hold(array: Any, kinks: bool) -> Ball:
        under = at_kinks if kinks else rules
        return lift(array, under) if mixed else Ball.exactly(array, under)

    return Arithmetic(hold, chain)


class Formula:
    """The formula of an item on the numbers of one call: the reduced loss and what can be derived from it."""

    rules: Rules

    def __init__(
        self,
        item: Loss,
        domains: Mapping[str, Domain],
        inputs: Mapping[str, Any],
        options: Mapping[str, Any],
        reduction: str,
        replaced: Mapping[str, Callable[..., Any]] | None = None,
        arithmetic: Arithmetic = PLAIN,
        by: Sequence[str] | None = None,
    ) -> None:
        self.item, self.domains, self.inputs, self.reduction = item, domains, inputs, reduction
        self.replaced, self.arithmetic = replaced, arithmetic
        self.options = {n: arithmetic.hold(v, False) if isinstance(v, np.ndarray) else v for n, v in options.items()}
        self.derivable = derivable(domains, {}) if by is None else list(by)
        self.shapes = [np.shape({**inputs, **options}[name]) for name in self.derivable]
        self.values, self.at_kinks = self._held(False), self._held(True)
        self.evaluation = self._evaluate(self.values, self.at_kinks, arithmetic.product)
        self.value = self.evaluation.value

    def _held(self, kinks: bool, tangents: Mapping[str, Any] | None = None) -> dict[str, Any]:
        """The inputs as operands, as dual numbers where there are ``tangents``, those that need it through a log_softmax."""
        found: dict[str, Any] = {}
        for name, domain in self.domains.items():
            array = self.inputs[name]
            held = self.arithmetic.hold(array, kinks) if domain.floating else array
            if tangents is not None and domain.floating:
                held = Dual(held, self.arithmetic.hold(tangents[name], kinks) if name in tangents else None)
            found[name] = log_softmax(held) if domain.through == "log_softmax" else held
        return found

    def _evaluate(self, values: Mapping[str, Any], slopes_at: Mapping[str, Any], product: Any) -> Evaluation:
        return reduce_by_formula(
            self.item, self.reduction, [*values.values()], self.options, self.replaced, [*slopes_at.values()], product,
            self.shapes,
        )  # fmt: skip

    def _through(self, name: str) -> bool:
        return name in self.domains and self.domains[name].through == "log_softmax"

    def gradients(self, upstream: Any) -> dict[str, Any]:
        """The gradients by the differentiable inputs for an incoming gradient."""
        found = dict(zip(self.derivable, self.evaluation.pullback(self.arithmetic.hold(upstream, True)), strict=True))
        return {n: log_softmax_pullback(g, self.at_kinks[n]) if self._through(n) else g for n, g in found.items()}

    def along(self, tangents: Mapping[str, Any], by_term: bool = False) -> Any:
        """The derivative of the reduced loss along tangents of some of the differentiable inputs."""
        held = {n: self.arithmetic.hold(t, True) for n, t in tangents.items()}
        moved = {n: log_softmax_pushforward(t, self.at_kinks[n]) if self._through(n) else t for n, t in held.items()}
        return self.evaluation.pushforward([moved.get(n) for n in self.derivable], by_term)

    def curvature(self, upstream: Any, directions: Mapping[str, Any]) -> dict[str, Any]:
        """The gradient of the sum of direction times gradient: the Hessian, which is symmetric, times the directions.

        It is the derivative of the analytic gradient along the directions, by dual numbers.
        """
        moving = self._held(True, directions)

        def product(share: Any, slope: Any) -> Dual:
            slope = slope if isinstance(slope, Dual) else Dual(slope)
            return Dual(self.arithmetic.product(share, slope.value), self.arithmetic.product(share, slope.moving()))

        pulled = self._evaluate(self.values, moving, product).pullback(self.arithmetic.hold(upstream, True))
        found = dict(zip(self.derivable, pulled, strict=True))
        found = {n: log_softmax_pullback(g, moving[n]) if self._through(n) else g for n, g in found.items()}
        return {n: g.tangent for n, g in found.items()}

    def by_option(self, name: str, upstream: Any) -> Any:
        """The gradient by a tensor option, from the derivatives of the value along each of its elements.

        Where every loss comes from one element of each argument, all of the option are moved at once.
        """
        option, upstream = self.options[name], self.arithmetic.hold(upstream, False)
        if "elementwise" in self.item.tags and self.item.reductions.get(self.reduction) is None:
            options = {**self.options, name: Dual(option, self.arithmetic.hold(np.ones(option.shape), False))}
            losses = reduce_by_formula(self.item, "none", [*self.values.values()], options, self.replaced).value
            slope = losses.moving() if isinstance(losses, Dual) else np.zeros(np.shape(losses))
            share = upstream / float(slope.size) if self.reduction == "mean" else upstream
            return collect(np.broadcast_to(share, slope.shape), slope, (), option.shape, operator.mul)
        columns = []
        for index in np.ndindex(option.shape):
            along = np.zeros(option.shape)
            along[index] = 1.0
            options = {**self.options, name: Dual(option, self.arithmetic.hold(along, False))}
            value = reduce_by_formula(self.item, self.reduction, [*self.values.values()], options, self.replaced).value
            columns.append(np.sum(upstream * (value.moving() if isinstance(value, Dual) else np.zeros(np.shape(value)))))
        return np.stack(columns).reshape(option.shape)


def expect(
    item: Loss,
    domains: Mapping[str, Domain],
    inputs: Mapping[str, Any],
    options: Mapping[str, Any],
    reduction: str,
    rules: Rules,
    mixed: bool = False,
    by: Sequence[str] | None = None,
) -> Formula:
    """Evaluate the reference in ball arithmetic on the numbers that the subject gets; its gradient is ``by`` these names."""
    found = Formula(item, domains, inputs, options, reduction, arithmetic=balls(rules, mixed), by=by)
    found.value, found.rules = lift(found.value, rules), rules
    return found


def promoted(*formats: str) -> str:
    """The format of an operation on tensors of these: the finest, and float32 for the two half formats together."""
    floating = {f for f in formats if f in PRECISIONS}
    finest = max(PRECISIONS[f].bits for f in floating)
    return "float32" if floating == {"bfloat16", "float16"} else next(f for f in floating if PRECISIONS[f].bits == finest)
