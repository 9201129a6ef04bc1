"""Every problem is what its declaration says: gradient, optimum, floor, shapes, batches; many replicas are as single ones."""

from __future__ import annotations

import importlib.util
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn import functional
from torch.utils.data import DataLoader, TensorDataset

import optimbench.convergence.problems  # noqa: F401
from benchkit.request import UsageError
from optimbench.convergence.engine import Course
from optimbench.convergence.problem import PROBLEMS, Problem, recorded
from optimbench.convergence.problems import digits, lenet, plane, styblinski_tang

SEEDS = (0, 1, 5)


def there(problem: Problem) -> bool:
    return not problem.needs or importlib.util.find_spec(problem.needs) is not None


NAMES = [
    pytest.param(name, marks=() if there(problem) else pytest.mark.skip(f"{problem.needs} is not installed"))
    for name, problem in [*PROBLEMS.items(), ("quadratic-30-rotated", PROBLEMS["quadratic-30-rotated"])]
]


@pytest.fixture(params=NAMES)
def problem(request: Any) -> Problem:
    return PROBLEMS[request.param]


def arrays(problem: Problem, seed: int, count: int | None = None) -> tuple[dict[str, Any], dict[str, Any]]:
    """Initial parameters and data of a seed in float64, of data by example the first ``count``."""
    data = {**problem.shared(), **problem.data(seed)}
    data = {name: array[:count] if name in problem.per_example else array for name, array in data.items()}
    widen = lambda array: array.astype(np.float64) if array.dtype.kind == "f" else array  # noqa: E731
    return {k: widen(v) for k, v in problem.start(seed).items()}, {k: widen(v) for k, v in data.items()}


def on_torch(problem: Problem, parameters: dict[str, Any], data: dict[str, Any]) -> tuple[float, dict[str, Any]]:
    """Value and gradient by autograd, of one replica in float64."""
    leaves = {name: torch.tensor(array)[None].requires_grad_() for name, array in parameters.items()}
    loss = problem.losses(leaves, {name: torch.tensor(array)[None] for name, array in data.items()})
    assert loss.shape == (1,)
    loss.sum().backward()
    return float(loss.detach()), {name: leaf.grad[0].numpy() for name, leaf in leaves.items() if leaf.grad is not None}


@pytest.mark.parametrize("seed", SEEDS)
def test_gradient_is_that_of_autograd(problem: Problem, seed: int) -> None:
    """The gradient that is stated in numpy is what training uses, to the precision of float64."""
    parameters, data = arrays(problem, seed, 7)
    value, slope = problem.gradient(parameters, data)
    got, gradients = on_torch(problem, parameters, data)

    assert got == pytest.approx(value, rel=1e-12)
    assert slope.keys() == gradients.keys() == parameters.keys()
    for name, array in slope.items():
        scale = np.abs(array).max()
        assert array.shape == parameters[name].shape
        np.testing.assert_allclose(gradients[name], array, rtol=1e-10, atol=1e-12 * scale, err_msg=name)


def test_what_trains_is_the_gradient_of_the_losses(problem: Problem) -> None:
    """Losses and gradients of stacked replicas, traced or stated, are autograd's, in float64 and in memory of their own."""
    course = Course(problem, SEEDS, 1, 2, "cpu")
    course.dtype = torch.float64
    course.shared, course.own = (
        {k: v.double() if v.is_floating_point() else v for k, v in some.items()} for some in (course.shared, course.own)
    )
    course.whole = {**course.shared, **course.own}
    starts = {name: start.requires_grad_() for name, start in course.starts().items()}
    batch = next(course.batches())
    losses, gradients = problem.differentiate(starts, batch)
    traced = problem.losses(starts, batch)
    expected = torch.autograd.grad(traced.sum(), list(starts.values()))

    torch.testing.assert_close(losses, traced.detach(), rtol=1e-12, atol=1e-14)
    assert gradients.keys() == starts.keys()
    for (name, got), want in zip(gradients.items(), expected, strict=True):
        assert got.shape == starts[name].shape
        torch.testing.assert_close(got.detach(), want, rtol=1e-10, atol=1e-12 * float(want.abs().max()), msg=name)
    taken = [tensor.untyped_storage().data_ptr() for tensor in (*starts.values(), *batch.values(), *gradients.values())]
    own = taken[-len(gradients) :]
    assert all(taken.count(place) == 1 for place in own)


@pytest.mark.skipif(not there(PROBLEMS["lenet"]), reason="scikit-learn is not installed")
def test_convolutions_of_many_replicas_in_one_call_and_one_by_one_agree() -> None:
    """The way that accelerators take and the way that the CPU takes give the same."""
    course = Course(PROBLEMS["lenet"], SEEDS, 1, 2, "cpu")
    starts, image = course.starts(), next(course.batches())["image"]
    one_by_one, together = (lenet.convolved(starts, image, way) for way in (False, True))

    assert one_by_one.shape == (len(SEEDS), 16, 400)
    torch.testing.assert_close(together, one_by_one)


def test_gradient_is_the_slope_of_the_value(problem: Problem) -> None:
    """A central difference along a random direction gives the stated gradient's product with it.

    The direction has length 1, so that no unit of a network with many weights passes its kink on the way.
    """
    parameters, data = arrays(problem, 3, 7)
    rng = np.random.default_rng(3)
    along = {name: rng.standard_normal(array.shape) for name, array in parameters.items()}
    length = np.sqrt(sum(np.sum(array**2) for array in along.values()))
    along = {name: array / length for name, array in along.items()}
    h = 1e-6
    ahead, behind = (
        problem.gradient({name: array + sign * h * along[name] for name, array in parameters.items()}, data)[0]
        for sign in (1, -1)
    )
    slope = problem.gradient(parameters, data)[1]
    expected = sum(float(np.sum(slope[name] * along[name])) for name in parameters)

    assert (ahead - behind) / (2 * h) == pytest.approx(expected, rel=1e-5, abs=1e-7)


def test_floor_is_taken_at_the_optimum_and_nothing_near_is_lower(problem: Problem) -> None:
    """Where the optimum is declared, the objective takes its floor there; moves in random directions do not fall below."""
    optimum = problem.optimum(2)
    if optimum is None:
        assert np.isnan(problem.floor(2)) or problem.floor(2) >= 0.0
        return
    data = arrays(problem, 2)[1]
    floor, rng = problem.floor(2), np.random.default_rng(2)

    assert problem.gradient(optimum, data)[0] == pytest.approx(floor, rel=1e-12, abs=1e-12)
    for size in (1e-4, 1e-2, 1.0):
        for _ in range(20):
            moved = {name: array + size * rng.standard_normal(array.shape) for name, array in optimum.items()}
            assert problem.gradient(moved, data)[0] >= floor - 1e-12


def test_start_is_above_the_floor_and_the_target_between(problem: Problem) -> None:
    """There is something to train, and the target can be reached by definition of the floor."""
    for seed in SEEDS:
        parameters, data = arrays(problem, seed)
        start, floor = problem.gradient(parameters, data)[0], problem.floor(seed)
        assert start > floor
        if problem.target is not None:
            assert start > problem.target > floor


def test_seeds_are_drawn_each_for_itself(problem: Problem) -> None:
    """The same seed gives the same numbers, another seed others, and torch's generator is left alone."""
    before = torch.get_rng_state()
    first, again, other = problem.start(7), problem.start(7), problem.start(8)

    assert all(np.array_equal(first[name], again[name]) for name in first)
    assert any(not np.array_equal(first[name], other[name]) for name in first)
    assert torch.equal(torch.get_rng_state(), before)


def test_many_replicas_are_as_many_single_ones(problem: Problem) -> None:
    """Losses and gradients of three stacked replicas are those of each alone, up to the order of sums."""
    course = Course(problem, SEEDS, 1, 2, "cpu")
    starts = {name: start.requires_grad_() for name, start in course.starts().items()}
    batch = next(course.batches())
    losses = problem.losses(starts, batch)
    losses.sum().backward()
    epsilon = torch.finfo(losses.dtype).eps

    assert losses.shape == (len(SEEDS),)
    for row, seed in enumerate(SEEDS):
        alone = Course(problem, [seed], 1, 2, "cpu")
        leaves = {name: start.requires_grad_() for name, start in alone.starts().items()}
        loss = problem.losses(leaves, next(alone.batches()))
        loss.sum().backward()
        torch.testing.assert_close(losses[row : row + 1], loss, rtol=64 * epsilon, atol=0.0)
        for name, leaf in leaves.items():
            got, expected = starts[name].grad, leaf.grad
            assert got is not None
            assert expected is not None
            size = float(expected.abs().max())
            torch.testing.assert_close(got[row], expected[0], rtol=1e3 * epsilon, atol=64 * epsilon * size)


def test_batches_are_those_of_a_data_loader(problem: Problem) -> None:
    """Over two epochs and a bit: a DataLoader over the same order gives the same numbers, the short last batch included."""
    if problem.batch is None:
        course = Course(problem, SEEDS, 1, 2, "cpu")
        first, second = (batch for _, batch in zip(range(2), course.batches(), strict=False))
        assert all(first[name] is second[name] is course.whole[name] for name in course.whole)
        return
    per_epoch = -(-problem.examples // problem.batch)
    steps, course = 2 * per_epoch + 1, Course(problem, SEEDS[1:], 2, 0, "cpu")
    arrays = {**problem.shared(), **problem.data(SEEDS[1])}
    dataset = TensorDataset(*(torch.from_numpy(arrays[name]) for name in problem.per_example))
    expected = []
    for epoch in range(3):
        expected += list(DataLoader(dataset, batch_size=problem.batch, sampler=problem.order(SEEDS[1], epoch).tolist()))
    for number, (batch, loaded) in enumerate(zip(course.batches(), expected[:steps], strict=False)):
        for name, tensor in zip(problem.per_example, loaded, strict=True):
            wanted = tensor.to(batch[name].dtype)
            assert torch.equal(batch[name][0], wanted), (number, name)
            assert torch.equal(batch[name][len(SEEDS) - 1], wanted), (number, name)
    assert sorted(problem.order(0, 0)) == list(range(problem.examples))
    assert problem.order(0, 0).tolist() != problem.order(0, 1).tolist()


def network(name: str) -> nn.Module:
    """The network as the document writes it."""
    if name == "parabola":
        return nn.Sequential(nn.Linear(1, 20), nn.ReLU(), nn.Linear(20, 1))
    if name == "mlp":
        return nn.Sequential(nn.Linear(784, 256), nn.ReLU(), nn.Linear(256, 10))
    pooled = [nn.ReLU(), nn.MaxPool2d(2)]
    convolutions = [nn.Conv2d(1, 6, 5), *pooled, nn.Conv2d(6, 16, 5), *pooled, nn.Flatten()]
    return nn.Sequential(*convolutions, nn.Linear(400, 120), nn.ReLU(), nn.Linear(120, 84), nn.ReLU(), nn.Linear(84, 10))


@pytest.mark.parametrize("name", [param for param in NAMES if param.values[0] in ("parabola", "mlp", "lenet")])
def test_networks_are_those_of_the_document(name: str) -> None:
    """The objective is that of the module that a reader of the document writes, with the same weights."""
    problem = PROBLEMS[name]
    parameters, data = arrays(problem, 4, 9)
    module = network(name).double()
    with torch.no_grad():
        for p, start in zip(module.parameters(), parameters.values(), strict=True):
            p.copy_(torch.tensor(start))
    inputs, target = (torch.tensor(data[one]) for one in problem.per_example or ("x", "y"))
    loss = functional.mse_loss if name == "parabola" else functional.cross_entropy

    assert float(loss(module(inputs), target).detach()) == pytest.approx(problem.gradient(parameters, data)[0], rel=1e-12)


KNOWN = {  # value and gradient at a point, by hand
    "rosenbrock": ((-1.2, 1.0), 24.2, (-215.6, -88.0)),
    "beale": ((0.0, 0.0), 14.203125, (-12.75, 0.0)),
    "rastrigin": ((1.0, 1.0), 2.0, (2.0, 2.0)),
    "styblinski-tang": ((0.0, 0.0), 78.33233140754282, (2.5, 2.5)),
}


@pytest.mark.parametrize("name", [name for name, problem in PROBLEMS.items() if isinstance(problem, plane.Plane)])
def test_functions_have_the_textbook_values(name: str) -> None:
    """Value and gradient at the textbook's point; a wrong constant would show."""
    point, value, slope = KNOWN[name]
    got, gradient = PROBLEMS[name].gradient({"point": np.array(point)}, {})

    assert got == pytest.approx(value, rel=1e-12)
    np.testing.assert_allclose(gradient["point"], slope, rtol=1e-12, atol=1e-12)


def test_least_value_of_styblinski_and_tang() -> None:
    """-39.16617 for each variable, as the textbooks have it, at a root of the derivative."""
    assert styblinski_tang.LEAST / 2 == pytest.approx(-39.16616570377142, rel=1e-14)
    assert 4 * styblinski_tang.BEST**3 - 32 * styblinski_tang.BEST + 5 == pytest.approx(0.0, abs=1e-12)


@pytest.mark.parametrize(("condition", "how"), [("1e3", "rotated"), ("50", "aligned")])
def test_quadratics_have_the_condition_number_of_their_name(condition: str, how: str) -> None:
    """The eigenvalues reach from 1 / condition to 1; only a rotated one is not diagonal."""
    hessian = PROBLEMS[f"quadratic-{condition}-{how}"].data(3)["hessian"]
    values = np.linalg.eigvalsh(hessian)

    assert values[-1] / values[0] == pytest.approx(float(condition), rel=1e-9)
    assert values[-1] == pytest.approx(1.0, rel=1e-12)
    assert np.array_equal(hessian, np.diag(np.diag(hessian))) == (how == "aligned")
    assert np.allclose(hessian, hessian.T)


@pytest.mark.parametrize("name", ["quadratic-0.5-rotated", "quadratic-1.2.3-rotated", "quadratic-10-tilted", "parabole"])
def test_what_is_no_problem_is_none(name: str) -> None:
    assert not PROBLEMS.knows(name)


def test_lasso_is_optimal() -> None:
    """The conditions of Karush, Kuhn and Tucker: the slope of the error is -0.1 times the sign of a weight, or less at 0."""
    problem = PROBLEMS["sparse-regression"]
    optimum, data = problem.optimum(1), problem.data(1)
    assert optimum is not None
    weights = optimum["weights"]
    slope = data["x"].T @ (data["x"] @ weights - data["y"]) / len(data["y"])
    zero = weights == 0.0

    assert 5 <= (~zero).sum() < len(weights)
    np.testing.assert_allclose(slope[~zero], -0.1 * np.sign(weights[~zero]), rtol=1e-9)
    assert np.abs(slope[zero]).max() <= 0.1


def test_enlarged_images_keep_their_corners() -> None:
    """Linear interpolation: the weights of each place sum to 1, and the corners are those of the small image."""
    matrix = digits.enlargement(28)

    np.testing.assert_allclose(matrix.sum(1), 1.0, rtol=1e-12)
    assert matrix[0].tolist() == [1.0] + [0.0] * 7
    assert matrix[-1].tolist() == [0.0] * 7 + [1.0]


def test_missing_package_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    """One sentence with the command that installs it."""
    problem = PROBLEMS["mlp"]
    monkeypatch.setattr(type(problem), "needs", "no_such_package")

    with pytest.raises(UsageError, match=r"needs the package no_such_package; install it with .*lossbench\[problems\]"):
        problem.check()


def test_records_reach_from_the_start_to_the_end() -> None:
    """Every so many steps, and the last in any case."""
    assert recorded(10, 4).tolist() == [0, 4, 8, 10]
    assert recorded(8, 4).tolist() == [0, 4, 8]
    assert recorded(3, 1).tolist() == [0, 1, 2, 3]
