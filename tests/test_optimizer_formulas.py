"""Properties of every declared optimizer: purity, options, second source, planted bugs, descent; and what L-BFGS promises."""

import hashlib
import inspect
import itertools
import runpy
from pathlib import Path

import mpmath
import numpy as np
import pytest
import torch
from scipy.optimize import minimize, rosen, rosen_der

from benchkit.proving import SUBJECT
from reference import OPTIMIZERS

SECOND = runpy.run_path(str(Path(__file__).parent / "second_source_optimizers.py"))["SECOND"]

# Constructor arguments that choose the implementation and leave the numbers alone.
SWITCHES = {"foreach", "fused", "capturable", "differentiable"}
CLOSURE = {item.slug for item in OPTIMIZERS.values() if "closure" in item.tags}

every = pytest.mark.parametrize("item", [pytest.param(item, id=item.slug) for item in OPTIMIZERS.values()])
by_gradient = pytest.mark.parametrize(
    "item", [pytest.param(item, id=item.slug) for item in OPTIMIZERS.values() if item.slug not in CLOSURE]
)
elementwise = pytest.mark.parametrize(
    "item", [pytest.param(item, id=item.slug) for item in OPTIMIZERS.values() if "elementwise" in item.tags]
)
whole = pytest.mark.parametrize(
    "item", [pytest.param(item, id=item.slug) for item in OPTIMIZERS.values() if "whole" in item.tags]
)
by_closure = pytest.mark.parametrize(
    "item", [pytest.param(OPTIMIZERS[n], id=n) for n in OPTIMIZERS if "closure" in OPTIMIZERS[n].tags]
)
# A broken class in torch's place has no formula to compare: whether it is told is for ``prove`` to say.
every_bug = pytest.mark.parametrize(
    ("item", "bug"),
    [
        pytest.param(item, bug, id=f"{item.slug}: {bug.name}")
        for item in OPTIMIZERS.values()
        for bug in item.planted_bugs
        if bug.part != SUBJECT
    ],
)


def grid(item):
    """Every combination of the item's options that its constructor accepts, the defaults first."""
    for values in itertools.product(*item.options.values()):
        options = dict(zip(item.options, values, strict=True))
        if item.valid is None or item.valid(options):
            yield options


def edges(item):
    """The defaults with one option at one of its edge values."""
    return [item.defaults | {name: value} for name, values in item.edge_options.items() for value in values]


def generator(name):
    return np.random.default_rng(int.from_bytes(hashlib.sha256(name.encode()).digest()[:8], "big"))


def shapes(item):
    """The shapes to try: one where the formula is elementwise, else those of a sample of the declaration."""
    return [shape for group in item.shapes[0] for shape in group] if item.shapes else [(8,)]


def gradients(item, steps, shape=None):
    """A start, standard-normal gradients and, for sparse gradients, which elements each of them stores."""
    rng, shape = generator(item.slug), shapes(item)[0] if shape is None else shape
    p, g = rng.normal(size=shape), rng.normal(size=(steps, *shape))
    touched = rng.random((steps, *shape)) < 0.6 if "sparse" in item.tags else np.ones((steps, *shape), bool)
    return p, np.where(touched, g, 0.0), touched


def extra(item, touched):
    return {"touched": touched} if "sparse" in item.tags else {}


def run(item, options, steps, step=None, initial=None, shape=None):
    """Yield parameter and state after every step on the same gradients."""
    step, initial = step or item.function, initial or item.initial_function
    p, g, touched = gradients(item, steps, shape)
    state = initial(p, **options)
    for i in range(steps):
        p, state = step(p, g[i], state, **extra(item, touched[i]), **options)
        yield p, state


def damages(item, options, step):
    """Whether a step changes the gradient that it is given."""
    p, g, touched = gradients(item, 1, next(iter(shapes(item))))
    before = np.copy(g[0])
    step(p, g[0], item.initial_function(p, **options), **extra(item, touched[0]), **options)
    return not np.array_equal(before, g[0], equal_nan=True)


def quadratic(p):
    """A convex quadratic of condition 10 with its minimum at 1, 2, 3, ..."""
    scale = np.linspace(1.0, 10.0, len(p))
    d = p - np.arange(1.0, len(p) + 1.0)
    return 0.5 * np.dot(scale * d, d), scale * d


def rosenbrock(p):
    return rosen(p), rosen_der(p)


def funnel(p):
    """A funnel that is flat far from its minimum at 1, where a line search has a long way to go."""
    d = p - 1.0
    square = np.dot(d, d)
    return np.log1p(square), 2.0 * d / (1.0 + square)


PROBLEMS = [
    (quadratic, np.zeros(4)),
    (quadratic, np.array([1.0 + 1e-3, 2.0])),
    (rosenbrock, np.array([-1.2, 1.0])),
    (funnel, np.array([300.0, -200.0])),
]


def steps_of(item, options, problem, start, count=3, step=None):
    """Yield parameter, state and first loss after every step with a closure."""
    p, state = start, item.initial_function(start, **options)
    for _ in range(count):
        p, state, loss = (step or item.function)(problem, p, state, **options)
        yield p, state | {"loss": loss}


def frozen(value):
    """Copy a parameter or a state, and make every array in the copy read-only."""
    if isinstance(value, dict):
        return {name: frozen(v) for name, v in value.items()}
    if isinstance(value, list):
        return [frozen(v) for v in value]
    if isinstance(value, np.ndarray):
        value = value.copy()
        value.flags.writeable = False
    return value


def numbers(p, state):
    """Parameter and state as one flat list of arrays."""
    flat = [p]
    for name in sorted(state):
        flat += state[name] if isinstance(state[name], list) else [state[name]]
    return [np.asarray(np.nan if x is None else x, dtype=float) for x in flat]


def exactly(array):
    """A tensor as a dictionary from index to number at the working precision."""
    return {index: mpmath.mpf(float(x)) for index, x in np.ndenumerate(array)}


def plainly(value):
    """The array, or number, that such a dictionary is rounded to."""
    if not isinstance(value, dict):
        return np.asarray(float(value))
    array = np.zeros(tuple(1 + max(index[axis] for index in value) for axis in range(len(next(iter(value))))))
    for index, x in value.items():
        array[index] = float(x)
    return array


def alike(a, b, rtol=0.0):
    """Whether two results hold the same names and, up to rtol, the same numbers."""
    if set(a[1]) != set(b[1]):
        return False
    a, b = numbers(*a), numbers(*b)
    return len(a) == len(b) and all(
        x.shape == y.shape and np.allclose(x, y, rtol=rtol, atol=0.0, equal_nan=True) for x, y in zip(a, b, strict=True)
    )


@every
def test_declaration_is_complete(item):
    """Options, state, paths, traffic and at least four planted bugs are declared."""
    assert item.initial_function
    assert set(item.edge_options) <= set(item.options)
    assert item.paths[0] == "forloop"
    assert item.bytes_per_element >= 3
    assert len(item.planted_bugs) >= 4
    assert item.source
    assert item.doc.index("Formula:") < item.doc.index("State:") < item.doc.index("Domain:") < item.doc.index("Source:")


@every
def test_options_are_those_of_the_torch_constructor(item):
    """Every argument that changes the numbers is an option with torch's default first; the others are paths."""
    arguments = inspect.signature(getattr(torch.optim, item.name)).parameters
    expected = {name: a.default for name, a in arguments.items() if name not in SWITCHES | {"params"}}

    assert item.defaults == expected
    assert {path for path in item.paths if path != "forloop"} == set(arguments) & {"foreach", "fused"}


@every
def test_valid_is_what_the_torch_constructor_accepts(item):
    """The declared combinations, and no others, can be constructed."""
    names = list(item.options)
    for values in itertools.product(*item.options.values()):
        options = dict(zip(names, values, strict=True))
        parameter = torch.nn.Parameter(torch.zeros(shapes(item)[0]))
        if item.valid is None or item.valid(options):
            getattr(torch.optim, item.name)([parameter], **options)
        else:
            with pytest.raises(ValueError):
                getattr(torch.optim, item.name)([parameter], **options)


@by_gradient
def test_state_has_the_names_of_torch(item):
    """After one step the state holds what torch's state_dict holds for the parameter."""
    for options, shape in itertools.product(grid(item), shapes(item)):
        parameter = torch.nn.Parameter(torch.ones(shape))
        parameter.grad = torch.ones(shape).to_sparse() if "sparse" in item.tags else torch.ones(shape)
        subject = getattr(torch.optim, item.name)([parameter], **options)
        subject.step()

        ((_, state),) = run(item, options, 1, shape=shape)

        assert set(state) == set(subject.state_dict()["state"].get(0, {}))


@by_gradient
def test_step_is_pure(item):
    """Parameter, gradient and state stay as they are, and the same step gives the same numbers again."""
    p, g, touched = gradients(item, 3)
    for options in grid(item):
        state = item.initial_function(p, **options)
        q = p
        for i in range(3):
            given = frozen(q), frozen(g[i]), frozen(state)
            copies = frozen(q), frozen(g[i]), frozen(state)
            q, state = item.function(*given, **extra(item, touched[i]), **options)
            again = item.function(*given, **extra(item, touched[i]), **options)

            assert np.array_equal(given[0], copies[0])
            assert np.array_equal(given[1], copies[1])
            assert alike((given[0], given[2]), (copies[0], copies[2]))
            assert alike((q, state), again)


@by_closure
def test_step_with_a_closure_is_pure(item):
    """Parameter and state stay as they are, and the same step gives the same numbers again."""
    for options, (problem, start) in itertools.product(itertools.islice(grid(item), 0, None, 5), PROBLEMS):
        p, state = start, item.initial_function(start, **options)
        for _ in range(2):
            given, copies = (frozen(p), frozen(state)), (frozen(p), frozen(state))
            p, state, loss = item.function(problem, *given, **options)
            again = item.function(problem, *given, **options)

            assert alike(given, copies)
            assert alike((p, state), again[:2])
            assert loss == again[2]


@every
def test_second_source_exists(item):
    """No item without an independent evaluation."""
    assert item.slug in SECOND


@elementwise
def test_second_source_agrees(item):
    """Sums over the whole history at 50 digits give the parameter and the state of twelve steps, for every option."""
    steps = 12
    p, g, touched = gradients(item, steps)
    for options in grid(item):
        with mpmath.workdps(50):
            second = list(SECOND[item.slug](mpmath.mpf(p[0]), [mpmath.mpf(x) for x in g[:, 0]], touched[:, 0], **options))
        first = list(run(item, options, steps))
        for (q, state), (expected, expected_state) in zip(first, second, strict=True):
            got = q[0], {name: np.ravel(value)[0] for name, value in state.items()}

            assert alike(got, (expected, expected_state), rtol=1e-9), f"{options}: {got}, but {expected} {expected_state}"


@whole
def test_second_source_agrees_on_whole_tensors(item):
    """The same for tensors: loops over the elements, or singular values, give what numpy gives."""
    steps = 4
    for number, options in enumerate(grid(item)):
        shape = shapes(item)[number % len(shapes(item))]
        p, g, _ = gradients(item, steps, shape)
        with mpmath.workdps(50):
            second = list(SECOND[item.slug](exactly(p), [exactly(x) for x in g], shape, **options))
        first = list(run(item, options, steps, shape=shape))
        for (q, state), (expected, expected_state) in zip(first, second, strict=True):
            assert alike((q, state), (plainly(expected), {n: plainly(v) for n, v in expected_state.items()}), rtol=1e-9), (
                options
            )


@whole
def test_a_stack_of_tensors_is_that_many_tensors(item):
    """Tensors laid side by side along a new first axis move as each would alone, each with its own state."""
    for shape in shapes(item):
        p, g, _ = gradients(item, 6, shape)
        state = item.initial_function(p, **item.defaults)
        alone = [item.function(p, x, state, **item.defaults)[0] for x in g]
        stacked = {
            n: np.stack([np.asarray(v, dtype=float).reshape(np.shape(v) or (1,) * len(shape))] * 6) for n, v in state.items()
        }
        together, _ = item.function(np.stack([p] * 6), g, stacked, dims=len(shape), **item.defaults)

        assert np.allclose(together, alone, rtol=1e-12, atol=0.0)


@by_closure
def test_second_source_agrees_without_line_search(item):
    """Matrices at 50 digits give the parameter of three steps, for every option."""

    def precisely(p):
        d = [x - i for i, x in enumerate(p, 1)]
        scale = [mpmath.mpf(x) for x in np.linspace(1.0, 10.0, len(p))]
        return mpmath.fsum(s * x**2 for s, x in zip(scale, d)) / 2 + d[0] ** 4, mpmath.matrix(
            [s * x + (4 * d[0] ** 3 if i == 0 else 0) for i, (s, x) in enumerate(zip(scale, d))]
        )

    def plainly(p):
        loss, g = precisely([mpmath.mpf(float(x)) for x in p])
        return float(loss), np.array([float(x) for x in g])

    start = np.array([0.5, -1.0, 2.0])
    for options in grid(item):
        if options["line_search_fn"] is None:
            with mpmath.workdps(50):
                second = [list(map(float, p)) for p in SECOND[item.slug](precisely, list(start), 3, **options)]
                first = [p for p, _ in steps_of(item, options, plainly, start)]
            assert np.allclose(first, second, rtol=1e-6, atol=1e-9), f"{options}: {first}, but {second}"


@every_bug
def test_planted_bug_changes_a_number(item, bug):
    """Within twenty steps, for some option, a planted bug gives another parameter or state, or damages a gradient."""
    step = bug.function if bug.part == "step" else None
    initial = bug.function if bug.part == "initial" else None
    if item.slug in CLOSURE:
        runs = (
            (steps_of(item, options, *problem), steps_of(item, options, *problem, step=step))
            for options in grid(item)
            for problem in PROBLEMS
        )
    else:
        runs = (
            (run(item, options, 20, shape=shape), run(item, options, 20, step, initial, shape=shape))
            for options in [*grid(item), *edges(item)]
            for shape in shapes(item)
        )

    if step and item.slug not in CLOSURE and any(damages(item, options, step) for options in grid(item)):
        return
    assert any(not alike(a, b, rtol=1e-6) for right, wrong in runs for a, b in zip(right, wrong, strict=True))


@by_gradient
def test_descends_a_convex_quadratic(item):
    """After 200 steps at the middle of the learning rates to tune over the loss is lower; maximizing -f does the same."""
    start = np.array([3.0, -2.0, 4.0]).reshape((1, 3) if "matrices" in item.tags else 3)
    lowest, highest, _ = item.learning_rates or (1e-4, 1.0, 9)
    options = item.defaults | {"lr": (lowest * highest) ** 0.5}
    everywhere = extra(item, np.ones(3, bool))

    def slope(p):
        return quadratic(p.ravel())[1].reshape(p.shape)

    p, state = start, item.initial_function(start, **options)
    for _ in range(200):
        p, state = item.function(p, slope(p), state, **everywhere, **options)

    assert quadratic(p.ravel())[0] < quadratic(start.ravel())[0]
    if "maximize" in options:
        q, state = start, item.initial_function(start, **options)
        for _ in range(200):
            q, state = item.function(q, -slope(q), state, **everywhere, **options | {"maximize": True})
        assert np.array_equal(p, q)


@by_closure
@pytest.mark.parametrize("line_search_fn", [None, "strong_wolfe"])
def test_closure_step_finds_the_minimum_of_scipy(item, line_search_fn):
    """The minimum of a quadratic and, with a line search, of Rosenbrock's function is where scipy finds it."""
    options = item.defaults | {"line_search_fn": line_search_fn, "tolerance_change": 0.0}
    for problem, start in PROBLEMS if line_search_fn else PROBLEMS[:2]:
        expected = minimize(problem, start, jac=True, method="BFGS", options={"gtol": 1e-9})
        *_, (p, state) = steps_of(item, options, problem, start, count=20)

        assert np.allclose(p, expected.x, rtol=0.0, atol=1e-6)
        assert state["loss"] <= problem(start)[0]


@by_closure
def test_line_search_meets_the_strong_wolfe_conditions(item):
    """An iteration ends where the loss has decreased enough and the slope is flat enough, with c1 = 1e-4 and c2 = 0.9."""
    options = item.defaults | {"line_search_fn": "strong_wolfe", "max_iter": 1, "max_eval": 26}
    for problem, start in PROBLEMS:
        p = start
        for q, state in steps_of(item, options, problem, start, count=10):
            if np.array_equal(p, q):
                break
            (before, g), (after, h) = problem(p), problem(q)
            slope = np.dot(g, state["d"])
            assert after <= before + 1e-4 * state["t"] * slope
            assert abs(np.dot(h, state["d"])) <= 0.9 * abs(slope)
            p = q
        assert problem(p)[0] < problem(start)[0]


@by_closure
def test_two_short_steps_equal_one_long(item):
    """A step resumes exactly where the last one stopped: two steps of three iterations make one of six."""
    free = item.defaults | {"max_eval": 1000, "tolerance_grad": 0.0, "tolerance_change": 0.0}
    for line_search_fn, (problem, start) in itertools.product([None, "strong_wolfe"], PROBLEMS[1:3]):
        options = free | {"line_search_fn": line_search_fn}
        *_, (halves, _) = steps_of(item, options | {"max_iter": 3}, problem, start, count=2)
        ((whole, _),) = steps_of(item, options | {"max_iter": 6}, problem, start, count=1)

        assert np.array_equal(halves, whole)


@by_closure
def test_first_step_at_a_minimum_stops(item):
    """Where the gradient is within the tolerance nothing moves and one evaluation is counted."""
    for options in grid(item):
        ((p, state),) = steps_of(item, options, quadratic, np.array([1.0, 2.0]), count=1)

        assert np.array_equal(p, [1.0, 2.0])
        assert state == {"func_evals": 1, "n_iter": 0, "loss": 0.0}
