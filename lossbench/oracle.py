"""The reference of a loss put together: formula, reduction, incoming gradient, and log_softmax where the input goes through it.

Written once for plain float64 arrays and for balls alike.
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
from benchkit.spec import Loss


@dataclass
class Evaluation:
    """A reduced loss and its pullback: from the incoming gradient to the gradients by every differentiable input."""

    value: Any
    pullback: Callable[[Any], list[Any]]


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
    if reduction == "none":
        value = losses
    elif divisor is None:
        value = np.sum(losses)
    elif np.ndim(divisor) == 0:
        value = np.sum(losses) / divisor
    else:
        value = np.sum(losses / divisor)

    @functools.cache
    def slopes() -> Any:
        return parts["gradient"](*(inputs if slopes_at is None else slopes_at), **options)

    def pullback(upstream: Any) -> list[Any]:
        upstream = parts["incoming"](upstream) if "incoming" in parts else upstream
        share = upstream if divisor is None else upstream / divisor
        share = np.broadcast_to(share, losses.shape)
        axes = item.row_axes(inputs[0]) if callable(item.row_axes) else item.row_axes
        share = np.where(undefined, np.nan, share)  # where a loss is NaN it has no derivative
        wanted = [np.shape(slope) for slope in slopes()] if shapes is None else shapes
        return [collect(share, slope, axes, shape, product) for slope, shape in zip(slopes(), wanted, strict=True)]

    return Evaluation(value, pullback)


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


def log_softmax_pullback(gradient: Any, log_probabilities: Any) -> Any:
    """The gradient by the argument of log_softmax from that by its result."""
    return gradient - np.exp(log_probabilities) * np.sum(gradient, axis=-1, keepdims=True)


@dataclass
class Expectation:
    """What the subject must answer, as balls."""

    value: Ball
    gradients: Callable[[Any], dict[str, Ball]]


def expect(
    item: Loss,
    domains: Mapping[str, Domain],
    inputs: Mapping[str, Any],
    options: Mapping[str, Any],
    reduction: str,
    rules: Rules,
    by: Sequence[str] | None = None,
) -> Expectation:
    """Evaluate the reference in ball arithmetic on the numbers that the subject gets; its gradient is ``by`` these names."""
    at_kinks = Rules(rules.precision, rules.exact, True, rules.extended)

    def balls(under: Rules) -> tuple[list[Any], dict[str, Any]]:
        found = {n: Ball.exactly(a, under) if domains[n].floating else a for n, a in inputs.items()}
        for name, domain in domains.items():
            if domain.through == "log_softmax":
                found[name] = found[name] - np.logaddexp.reduce(found[name], axis=-1, keepdims=True)
        tensors = {n: Ball.exactly(v, under) if isinstance(v, np.ndarray) else v for n, v in options.items()}
        return list(found.values()), tensors

    values, tensors = balls(rules)
    slopes_at, _ = balls(at_kinks)
    names = derivable(domains, {}) if by is None else by
    shapes = [np.shape({**inputs, **options}[name]) for name in names]
    found = reduce_by_formula(item, reduction, values, tensors, slopes_at=slopes_at, product=chain, shapes=shapes)

    def gradients(upstream: Any) -> dict[str, Ball]:
        by_input = dict(zip(names, found.pullback(Ball.exactly(upstream, at_kinks)), strict=True))
        for name, domain in domains.items():
            if name in by_input and domain.through == "log_softmax":
                by_input[name] = log_softmax_pullback(by_input[name], slopes_at[list(inputs).index(name)])
        return by_input

    return Expectation(lift(found.value, rules), gradients)
