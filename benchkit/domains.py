"""Where inputs live and how each lane draws them: numpy arrays of numbers that the format under test represents.

Lanes: ``exact`` draws small dyadic numbers whose sums and products need few bits; ``ordinary`` draws what users have; ``edge``
mixes the ends of the domain and the ties at thresholds among ordinary numbers.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchkit.precision import Precision


@dataclass
class Draw:
    """One draw in progress: generator, lane, base shape, format, the options drawn so far and the inputs drawn so far.

    Of the arguments in ``alike`` all entries along an axis will be replaced by the first; ``argument`` is being drawn.
    """

    rng: np.random.Generator
    lane: str
    shape: tuple[int, ...]
    precision: Precision
    rowwise: bool = False
    options: dict[str, Any] = field(default_factory=dict)
    inputs: dict[str, Any] = field(default_factory=dict)
    alike: frozenset[str] = frozenset()
    argument: str = ""

    def mix_edges(self, ordinary: NDArray[Any], edges: Sequence[float]) -> NDArray[Any]:
        """Replace some of the numbers by edge values, each of which appears as often as the others.

        Half of the numbers where every loss comes from one element, and few where a loss comes from a row of them,
        since one infinity decides a row and says nothing of its other elements.
        """
        if not len(edges) or not ordinary.size:
            return ordinary
        chosen = self.rng.permutation(np.resize(np.asarray(edges), ordinary.size)).reshape(ordinary.shape)
        return np.where(self.rng.random(ordinary.shape) < (0.12 if self.rowwise else 0.5), chosen, ordinary)


@dataclass(frozen=True)
class Domain:
    """A set of inputs. ``sample(draw)`` returns an array; ``floating`` arrays take the dtype under test, others stay integers.

    ``differentiable`` says that torch defines a derivative by this input and the reference has it. ``label`` stands for
    the drawn array in case ids. ``through="log_softmax"`` says that the loss gets log_softmax(array, axis=-1) while the
    derivative is taken by the array itself. ``parameter`` names the parameter of the loss module that this input is, as
    its ``state_dict`` does; such an input is not passed to the call. ``repeats`` says that entries may be repeated freely along
    any axis; it is false where the numbers of one input must fit those of another. ``stacks`` says that its shape follows from
    the base shape alone, so that several draws can be stacked.
    """

    label: str
    sample: Callable[[Draw], Any]
    floating: bool = True
    differentiable: bool = False
    through: str = ""
    parameter: str = ""
    repeats: bool = True
    stacks: bool = True

    def __call__(self, draw: Draw) -> Any:
        value = self.sample(draw)
        return draw.precision.round(value) if self.floating else value


Shape = Callable[[Draw], tuple[int, ...]]


def base(draw: Draw) -> tuple[int, ...]:
    """The base shape of the case."""
    return draw.shape


def without_axis(axis: int) -> Shape:
    """The base shape less one axis: one target for each row."""

    def shape(draw: Draw) -> tuple[int, ...]:
        dims = list(draw.shape)
        del dims[axis]
        return tuple(dims)

    return shape


def without_class_axis(draw: Draw) -> tuple[int, ...]:
    """The base shape less the class axis of torch's classification losses: axis 1, or axis 0 of an unbatched input."""
    return draw.shape[:1] + draw.shape[2:] if len(draw.shape) > 1 else ()


def class_count(draw: Draw) -> int:
    """The number of classes of the base shape."""
    return draw.shape[1] if len(draw.shape) > 1 else draw.shape[0]


def reals(
    *,
    scale: float = 2.0,
    shape: Shape = base,
    differentiable: bool = True,
    ties: Sequence[float] = (),
    tie_options: Sequence[str] = (),
    edges: Sequence[float] | None = None,
    largest: bool = True,
) -> Domain:
    """Real numbers: eighths of small integers (exact), normal numbers of mixed magnitude (ordinary), IEEE specials (edge).

    ``ties`` and the values of ``tie_options`` (with both signs) are thresholds that the edge lane and, rounded to the
    grid, the exact lane must hit. ``edges`` replaces the IEEE specials, of which the ``largest`` numbers may be left out.
    """

    def sample(draw: Draw) -> NDArray[np.float64]:
        size = shape(draw)
        if draw.lane == "exact":
            return draw.rng.integers(-12, 13, size) / 4.0
        # One number that fills an axis is a product with the sum of all it meets there; of a large one half types know nothing.
        most = -1.0 if draw.argument in draw.alike else 1.0
        spread = 2.0 ** draw.rng.uniform(-3, most, size) if draw.lane == "ordinary" else 1.0
        ordinary = draw.rng.normal(0.0, scale, size) * spread
        if draw.lane == "ordinary":
            return ordinary
        p = draw.precision
        specials = (
            [0.0, -0.0, p.smallest_subnormal, -p.smallest_normal, *[p.largest, -p.largest] * largest, np.inf, -np.inf, np.nan]
            if edges is None
            else list(edges)
        )
        thresholds = [*ties, *(float(draw.options[name]) for name in tie_options if draw.options.get(name) is not None)]
        specials += [s * t for t in thresholds for s in (1.0, -1.0)]
        return draw.mix_edges(ordinary, specials)

    return Domain("reals", sample, differentiable=differentiable)


def vectors(
    *,
    like: Sequence[str] = (),
    ties: Sequence[float] = (),
    tie_options: Sequence[str] = (),
    zero: bool = True,
    largest: bool = True,
    strange: Sequence[float] = (np.inf, -np.inf, np.nan),
) -> Domain:
    """Real vectors along the last axis. As in ``reals``, but an edge row holds one special number and leaves the rest ordinary.

    In the exact and edge lanes about a third of the rows repeat, with either sign, a row of an input named in ``like``. In the
    edge lane as many consist of multiples of the thresholds ``ties`` and of the options ``tie_options``, some are ``zero``,
    some hold the ``largest`` number, and of three or more all but the first may hold one of the ``strange`` numbers: the first
    stays a row that has an answer.
    """

    def sample(draw: Draw) -> NDArray[np.float64]:
        shape, rng = draw.shape, draw.rng
        values: NDArray[np.float64] = reals().sample(draw) if draw.lane != "edge" else rng.normal(0.0, 2.0, shape)
        if draw.lane == "ordinary" or not values.size:
            return values
        rows = np.arange(values.size // shape[-1]).reshape((*shape[:-1], 1))

        def some(share: float) -> NDArray[np.bool_]:
            return np.asarray(rng.random(rows.shape) < share)

        if draw.lane == "edge":
            thresholds = [*ties, *(draw.options[name] for name in tie_options)]
            if thresholds:
                grid = rng.choice([-1.0, 0.0, 1.0, 2.0], shape) * rng.choice(thresholds, rows.shape)
                values = np.where(some(0.3), grid, values)
        for name in like:
            values = np.where(some(0.3), rng.choice([-1.0, 1.0, 1.0], rows.shape) * draw.inputs[name], values)
        if draw.lane == "edge":
            p = draw.precision
            numbers = [0.0, -0.0, p.smallest_subnormal, -p.smallest_normal] + ([p.largest, -p.largest] if largest else [])
            here = np.arange(shape[-1]) == rng.integers(0, shape[-1], rows.shape)
            values = np.where(here & some(0.4) & (shape[-1] > 1), rng.choice(numbers, rows.shape), values)
            if zero:
                values = np.where(some(0.15) & (rows > 0), 0.0, values)
            if len(rows) > 2 and strange:
                values = np.where(here & some(0.3) & (rows > 0), rng.choice(list(strange), rows.shape), values)
        return values

    return Domain("vectors", sample, differentiable=True)


def unit_interval(*, shape: Shape = base, differentiable: bool = True) -> Domain:
    """Numbers in [0, 1]: probabilities of independent events; the edge lane has 0, 1 and their neighbours."""

    def sample(draw: Draw) -> NDArray[np.float64]:
        size = shape(draw)
        if draw.lane == "exact":
            return draw.rng.integers(0, 5, size) / 4.0
        ordinary = 1.0 / (1.0 + np.exp(-draw.rng.normal(0.0, 3.0, size)))
        if draw.lane == "ordinary":
            return np.clip(ordinary, 2.0**-7, 1.0 - 2.0**-7)
        p = draw.precision
        return draw.mix_edges(ordinary, [0.0, 1.0, p.smallest_subnormal, p.smallest_normal, 1.0 - p.unit, p.unit, 0.5])

    return Domain("unit", sample, differentiable=differentiable)


def positive(*, shape: Shape = base, differentiable: bool = True, zero: bool = True) -> Domain:
    """Positive numbers of mixed magnitude; the edge lane has the ends of the range and, with ``zero``, 0 itself."""

    def sample(draw: Draw) -> NDArray[np.float64]:
        size = shape(draw)
        if draw.lane == "exact":
            return draw.rng.integers(1, 13, size) / 4.0
        ordinary = np.exp(draw.rng.normal(0.0, 1.0, size))
        if draw.lane == "ordinary":
            return ordinary
        p = draw.precision
        return draw.mix_edges(ordinary, [0.0, p.smallest_subnormal, p.smallest_normal, 1.0, p.largest, np.inf][not zero :])

    return Domain("positive", sample, differentiable=differentiable)


def signs(*, shape: Shape = base, differentiable: bool = False) -> Domain:
    """Labels 1 and -1."""
    return Domain("signs", lambda draw: draw.rng.choice([-1.0, 1.0], shape(draw)), differentiable=differentiable)


def class_indices(*, shape: Shape = without_class_axis, ignore: str | None = None) -> Domain:
    """Class indices 0..C-1; where the option named ``ignore`` is set, about a third of them are that ignored index.

    Only the edge lane may ignore all of them, which leaves the mean without a number and the check without a comparison: of
    indices that will be made alike the first is none that is ignored.
    """

    def sample(draw: Draw) -> NDArray[np.int64]:
        index = draw.rng.integers(0, max(class_count(draw), 1), shape(draw))
        if ignore is not None and draw.options.get(ignore) is not None:
            ignored = draw.options[ignore]
            index = np.where(draw.rng.random(shape(draw)) < 0.35, ignored, index)
            kept = index.flat[:1] if draw.argument in draw.alike else index
            if draw.lane != "edge" and index.size and (class_count(draw) > 1 or ignored != 0) and (kept == ignored).all():
                index.flat[0] = (ignored + 1) % class_count(draw)
        return np.asarray(index, dtype=np.int64)

    return Domain("indices", sample, floating=False)


def class_probabilities(*, axis: int = -1, shape: Shape = base, differentiable: bool = True, log: bool = False) -> Domain:
    """Distributions along ``axis`` (their logarithms with ``log``); the edge lane has one-hot rows and zeros."""

    def sample(draw: Draw) -> NDArray[np.float64]:
        size = shape(draw)
        logits = draw.rng.normal(0.0, 2.0, size)
        if draw.lane == "edge" and not log:
            logits = np.where(draw.rng.random(size) < 0.4, -np.inf, logits)
            logits = np.where(np.isneginf(logits).all(axis=axis, keepdims=True), 0.0, logits)
        if not logits.size:
            return logits
        shifted = logits - logits.max(axis=axis, keepdims=True)
        logp = shifted - np.log(np.exp(shifted).sum(axis=axis, keepdims=True))
        return np.asarray(logp if log else np.exp(logp))

    return Domain("log-probabilities" if log else "probabilities", sample, differentiable=differentiable)


def class_weights(*, zero: bool = True, differentiable: bool = False) -> Domain:
    """One weight for each class, dyadic but on the ordinary lane; with ``zero`` some are zero in the edge lane."""

    def sample(draw: Draw) -> NDArray[np.float64]:
        if draw.lane == "ordinary":
            return draw.rng.uniform(0.25, 2.25, (class_count(draw),))
        return draw.rng.integers(0 if zero and draw.lane == "edge" else 1, 9, (class_count(draw),)) / 4.0

    return Domain("per_class", sample, differentiable=differentiable)


def elementwise_weights() -> Domain:
    """One dyadic weight for each element of the base shape."""
    return Domain("elementwise", lambda draw: draw.rng.integers(0, 9, draw.shape) / 4.0)


def draw_case(
    domains: Mapping[str, Any],
    options: Mapping[str, Any],
    draw: Draw,
    finish: Callable[[str, Any], Any] = lambda name, value: value,
) -> Draw:
    """Draw the options that are domains, then every input in order, each seeing what was drawn before it and what ``finish``
    has made of that."""
    for name, option in options.items():
        draw.argument = name
        draw.options[name] = finish(name, option(draw) if isinstance(option, Domain) else option)
    for name, domain in domains.items():
        draw.argument = name
        draw.inputs[name] = finish(name, domain(draw))
    return draw
