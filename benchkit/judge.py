"""The verdict on one array: what the subject returned against the ball that the oracle expects."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchkit.balls import Ball, Floats, floats
from benchkit.precision import Precision

PASS, MARGINAL, FAIL, ERROR, WAIVED, SHARED = "pass", "marginal", "fail", "error", "waived", "shared"
UNSUPPORTED, ABSENT = "unsupported", "absent"
WORST_FIRST = (FAIL, ERROR, WAIVED, SHARED, MARGINAL, PASS, UNSUPPORTED, ABSENT)

NUMBER, OTHER = "number", "other"
WRONG = (NUMBER, "nan", "inf", "number for nan", "inf for nan", "number for inf", "nan for inf", "inf for inf", OTHER)

LIMIT = 4.0  # an algebraically different correct formula reached 2.03 bounds; above this factor a difference is an error


class OracleError(Exception):
    """The reference itself failed: the check says nothing about the subject."""


def by_reference(function: Callable[..., Any], *arguments: Any, **keywords: Any) -> Any:
    """Call the reference; whatever it raises is an error of its own."""
    try:
        return function(*arguments, **keywords)
    except Exception as error:
        raise OracleError(f"the reference failed: {type(error).__name__}: {error}") from error


@dataclass(frozen=True)
class Comparison:
    """One array compared: its worst element, how many elements were judged, and how many could tell right from wrong.

    ``wrong`` says what came out in all the elements that fail: ``nan``, ``inf`` or ``number`` where a number is expected, such
    as ``number for nan`` where none is, and ``other`` for a difference that is none of numbers. Where an array is only a part
    of what failed, ``overall`` is the worst ratio of the whole.
    """

    status: str
    ratio: float
    compared: int
    telling: int
    where: tuple[int, ...] = ()
    expected: float = 0.0
    got: float = 0.0
    bound: float = 0.0
    spread: float = 0.0
    why: str = ""
    wrong: tuple[str, ...] = ()
    overall: float = 0.0

    def sentence(self, name: str) -> str:
        """The worst element in words, numbers as hex floats so that they can be pasted without loss."""
        if self.why:
            return f"{name}: {self.why}"
        index = f"[{', '.join(map(str, self.where))}]" if self.where else ""
        width = f" (any value within {self.spread:.3g} of it is right)" if self.spread else ""
        return (
            f"{name}{index} = {hexadecimal(self.got)} ({self.got:.9g}), but should be "
            f"{hexadecimal(self.expected)} ({self.expected:.9g}){width}"
        )


def hexadecimal(x: float) -> str:
    """A number as C's %a, the specials by name."""
    return float(x).hex() if np.isfinite(x) else str(float(x))


def failure(why: str) -> Comparison:
    """A difference that is none of numbers: a shape, a missing answer, an exception."""
    return Comparison(FAIL, float("inf"), 1, 1, why=why, wrong=(OTHER,))


def all_wrong(comparisons: Iterable[Comparison]) -> list[str]:
    """What came out in all the elements that fail, of several arrays."""
    return sorted({kind for comparison in comparisons for kind in comparison.wrong})


def kinds(got: Floats, expected: Floats) -> tuple[str, ...]:
    """What came out, where it is wrong."""
    pairs = {(_kind(x), _kind(y)) for x, y in zip(got.ravel(), expected.ravel(), strict=True)}
    return tuple(sorted(x if y == NUMBER else f"{x} for {y}" for x, y in pairs))


def _kind(x: float) -> str:
    return NUMBER if np.isfinite(x) else str(abs(float(x)))


def compare(
    expected: Ball, got: NDArray[Any], stored: Precision, names: str = "answer", derivative: bool = False
) -> Comparison:
    """Judge ``got``, an array that the subject stores in the format ``stored``, element by element.

    The ratio of an element is its distance from the expected set over the bound; up to 1 passes, up to ``LIMIT`` is
    marginal, above fails. Where the expected number is NaN or infinite the answer must be the same; a number where one is
    expected that is NaN has an infinite ratio; a finite expectation beyond the range of ``stored`` must have overflowed.
    A ``derivative`` is not judged where it is NaN: a function has no derivative at a NaN that any answer could be held to, but
    for another answer of the same class (``alike``).
    """
    got = np.asarray(got, dtype=np.float64)
    if got.shape != expected.shape:
        return failure(f"{names} has shape {got.shape}, but should have {expected.shape}")
    if got.size == 0:
        return Comparison(PASS, 0.0, 1, 1)
    with np.errstate(all="ignore"):
        ratio, bound, judged, telling, wanted = _ratios(expected, got, stored)
    if derivative:
        judged &= ~np.isnan(floats(expected.value))
    count = int(judged.sum())
    if count == 0:
        return Comparison(PASS, 0.0, 0, 0)  # shape and format were right; the caller must not take this for a pass
    scores = np.where(judged, ratio, -1.0)
    index = np.unravel_index(int(np.argmax(scores)), scores.shape)
    worst = float(scores[index])
    return Comparison(
        status=PASS if worst <= 1.0 else MARGINAL if worst <= LIMIT else FAIL,
        ratio=worst,
        compared=count,
        telling=int((telling & judged).sum()),
        where=tuple(int(i) for i in index),
        expected=float(floats(expected.value)[index]),
        got=float(got[index]),
        bound=float(bound[index]),
        spread=float(expected.width[index]),
        wrong=kinds(got[failed], wanted[failed]) if (failed := judged & (ratio > LIMIT)).any() else (),
    )


def alike(got: Floats, eager: Floats) -> Comparison:
    """Judge derivatives where a loss is NaN by those that the same class gives without a graph: NaN, or the same number.

    Which of the two is a convention: the derivative of abs at NaN is 0 in torch, that of a square is NaN.
    """
    other = ~((np.isnan(got) & np.isnan(eager)) | np.isclose(got, eager, rtol=0.01))
    if not other.any():
        return Comparison(PASS, 0.0, got.size, got.size)
    first = int(np.argmax(other))
    why = f"where the loss is NaN it is {got[first]:.9g}, but should be {eager[first]:.9g}, as it is without a graph"
    return replace(failure(why), compared=got.size, telling=got.size, wrong=kinds(got[other], eager[other]))


def _ratios(
    expected: Ball, got: Floats, stored: Precision
) -> tuple[Floats, Floats, NDArray[np.bool_], NDArray[np.bool_], Floats]:
    """Ratio, bound, which elements are judged, which of these can tell a wrong answer from a right one, and what is expected:
    the centre, infinite where it must have overflowed."""
    value, spread = floats(expected.value), expected.width
    bound = expected.radius
    computed = expected.rules.precision
    if stored.unit > computed.unit or stored.smallest_subnormal > computed.smallest_subnormal:
        # A format rounds what it holds where it is coarser, or has fewer small numbers, as float16 beside bfloat16.
        bound = bound + np.where(np.isfinite(value), stored.unit * (np.abs(value) + bound) + stored.smallest_subnormal, 0.0)
    judged = np.isfinite(bound)
    distance = np.abs(floats(expected.value - got))
    excess = np.where(distance <= spread, 0.0, distance - spread)
    ratio = np.where(excess == 0.0, 0.0, np.where(bound > 0.0, excess / np.where(bound > 0.0, bound, 1.0), np.inf))

    reach = LIMIT * bound + spread
    must_overflow = np.isfinite(value) & (np.abs(value) - reach >= stored.overflow)
    may_overflow = np.isfinite(value) & (np.abs(value) + reach >= stored.overflow)
    infinite = np.isinf(value) | must_overflow
    same_infinity = np.isinf(got) & (np.sign(got) == np.sign(value))
    ratio = np.where(infinite, np.where(same_infinity, 0.0, np.inf), ratio)
    ratio = np.where(may_overflow & ~infinite & same_infinity, 0.0, ratio)
    ratio = np.where(np.isnan(value), np.where(np.isnan(got), 0.0, np.inf), ratio)
    ratio = np.where(np.isnan(ratio), np.inf, ratio)

    finite = np.abs(value[np.isfinite(value)])
    scale = max(float(finite.max()) if finite.size else 0.0, stored.smallest_normal * 1024.0)
    telling = (LIMIT * bound + spread <= 0.25 * scale) | ~np.isfinite(value)
    return ratio, bound, judged, telling, np.where(must_overflow, np.inf, value)
