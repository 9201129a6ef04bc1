"""The convergence experiment: same start for all, same numbers every time, interrupted and resumed or not."""

import json

import numpy as np
import pytest
import torch

from benchkit.request import RIGHT, Request, UsageError
from benchkit.results import read
from optimbench import converge, problem
from reference import OPTIMIZERS

EXTRA = {"seeds": 2, "steps": 5}


def run(reports, **how):
    """Run the command; its records without what a clock wrote."""
    request = Request(suite="optimbench", command="converge", reports=reports, **{"extra": EXTRA, **how})
    assert converge.converge(request) == RIGHT
    return without_clock(request.results_file)


def without_clock(path):
    records = [json.loads(line) for line in path.read_text().splitlines()]
    records[0].pop("environment")
    return [{name: value for name, value in record.items() if name not in ("seconds", "time")} for record in records]


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """An uninterrupted run: its folder and its records."""
    reports = tmp_path_factory.mktemp("whole")
    return reports, run(reports)


def curves(records):
    return [record for record in records if record["kind"] == "curve"]


def test_every_optimizer_and_momentum_has_a_curve_for_each_seed(whole):
    """Eleven optimizers and SGD with momentum, every loss finite, none of them losing ground from the start."""
    found = curves(whole[1])
    labels = [record["label"] for record in found if record["seed"] == 0]

    assert {record["optimizer"] for record in found} == {name for name, item in OPTIMIZERS.items() if item.document}
    assert "SGD momentum 0.9" in labels
    assert len(labels) == len(set(labels)) == 12
    assert len(found) == 24
    assert all(len(record["losses"]) == EXTRA["steps"] and np.isfinite(record["losses"]).all() for record in found)
    assert all(record["losses"][-1] < record["losses"][0] for record in found)
    assert all(record["lr"] == OPTIMIZERS[record["optimizer"]].document_lr for record in found)


def test_an_optimizer_that_is_not_in_the_document_is_trained_on_request(tmp_path):
    """At the rate for all those that declare none; it has no curve in the document's experiment."""
    names = tuple(n for n, item in OPTIMIZERS.items() if not item.document and "matrices" not in item.tags)
    found = curves(run(tmp_path, items=names, extra={"seeds": 1, "steps": 4}))

    assert names
    assert [(record["optimizer"], record["lr"]) for record in found] == [(name, converge.LR) for name in names]
    assert all(record["losses"][-1] < record["losses"][0] for record in found)


def test_an_optimizer_of_matrices_is_left_out_of_a_network_with_biases(tmp_path, capsys):
    """With a plain word; alone it is wrong usage."""
    found = curves(run(tmp_path, items=("Muon", "SGD"), extra={"seeds": 1, "steps": 1}))

    assert {record["optimizer"] for record in found} == {"SGD"}
    assert "Muon left out: it takes matrices only" in capsys.readouterr().err
    with pytest.raises(UsageError, match="nothing to train"):
        run(tmp_path, items=("Muon",), extra={"seeds": 1, "steps": 1})


def test_curves_of_a_seed_start_from_one_point(whole):
    """Same data and same initial weights within a seed, others in another."""
    starts = {seed: {record["losses"][0] for record in curves(whole[1]) if record["seed"] == seed} for seed in (0, 1)}

    assert len(starts[0]) == len(starts[1]) == 1
    assert starts[0] != starts[1]


def test_same_command_same_numbers(whole, tmp_path):
    """A second run writes the same records."""
    assert run(tmp_path) == whole[1]


@pytest.mark.parametrize("kept", [1, 2, 3, 9, 20])
def test_interrupted_run_resumes_to_the_same_file(whole, tmp_path, kept):
    """Cut off after some records and in the middle of the next, then resumed: the same content as uninterrupted."""
    lines = (whole[0] / "optimbench-converge.jsonl").read_bytes().splitlines(keepends=True)
    torn = lines[kept][: len(lines[kept]) // 2]
    (tmp_path / "optimbench-converge.jsonl").write_bytes(b"".join(lines[:kept]) + torn)

    assert run(tmp_path, resume=True) == whole[1]


def test_processes_give_the_same_numbers(whole, tmp_path, monkeypatch):
    """Curves trained in two processes are those trained in one, in the same order."""
    monkeypatch.setattr(converge, "cores", lambda: 2)
    monkeypatch.setattr(converge, "WORTH_A_PROCESS", 1)

    assert run(tmp_path) == whole[1]


def test_other_steps_do_not_resume(whole, tmp_path):
    """A file of another experiment is not continued."""
    text = (whole[0] / "optimbench-converge.jsonl").read_text()
    (tmp_path / "optimbench-converge.jsonl").write_text(text)

    with pytest.raises(UsageError, match="cannot resume"):
        run(tmp_path, resume=True, extra={"seeds": 2, "steps": 6})


def test_plain_descent_by_hand(whole):
    """The curve of SGD is that of a hand-written backward pass in float64."""
    data, network = problem.draw(1), problem.network(1)
    x, y = data.x.double().numpy(), data.y.double().numpy()
    w1, b1, w2, b2 = (p.detach().double().numpy() for p in network.parameters())
    losses = []
    for _ in range(EXTRA["steps"]):
        hidden = np.maximum(x @ w1.T + b1, 0.0)
        error = hidden @ w2.T + b2 - y
        losses.append(np.mean(error**2))
        out = 2.0 * error / len(x)
        back = (out @ w2) * (hidden > 0)
        gradients = back.T @ x, back.sum(axis=0), out.T @ hidden, out.sum(axis=0)
        w1, b1, w2, b2 = (p - 0.01 * g for p, g in zip((w1, b1, w2, b2), gradients, strict=True))
    (got,) = [record["losses"] for record in curves(whole[1]) if record["label"] == "SGD" and record["seed"] == 1]

    np.testing.assert_allclose(got, losses, rtol=1e-5)


def test_closures_are_counted(whole):
    """Optimizers that search along a line evaluate the loss more often than they step, the others exactly once a step."""
    for record in curves(whole[1]):
        several = "closure" in OPTIMIZERS[record["optimizer"]].tags
        assert (record["closure_calls"] > EXTRA["steps"]) == several, record["label"]
        assert several or record["closure_calls"] == EXTRA["steps"]


def test_sparse_gradients_are_what_the_sparse_optimizer_gets(monkeypatch):
    """Without its tag the optimizer for sparse gradients would refuse them."""
    curve = converge.plan(("SparseAdam",), [0], 2, [None])[0]
    assert "sparse" in OPTIMIZERS["SparseAdam"].tags
    assert len(converge.train(curve)["losses"]) == 2
    monkeypatch.setattr(OPTIMIZERS["SparseAdam"], "tags", frozenset())

    with pytest.raises(RuntimeError, match="dense gradients"):
        converge.train(curve)


def test_fit_of_the_first_seed_is_kept(whole):
    """The points of the fit are those of the trained network, for the first seed alone."""
    for record in curves(whole[1]):
        assert ("fit_x" in record) == (record["seed"] == 0)
    first = next(record for record in curves(whole[1]) if "fit_x" in record)
    assert len(first["fit_x"]) == len(first["fit_y"]) == converge.FITTED


def test_floor_is_the_loss_of_the_true_curve(whole):
    """The floor is the mean square of the noise in the data, near its variance; the fitted floor a little lower."""
    (described,) = [record for record in whole[1][1:] if record["id"] == "data-seed0"]
    x, y = np.array(described["x"]), np.array(described["y"])

    assert described["floor"] == pytest.approx(np.mean((y - x * x) ** 2), rel=1e-5)
    assert described["floor"] == pytest.approx(0.01, rel=0.15)
    assert described["fitted_floor"] == pytest.approx(0.939 * described["floor"])


def test_problem_is_that_of_the_document():
    """Grid, noise and network; the global generators are not touched."""
    before = torch.get_rng_state()
    data, network = problem.draw(3), problem.network(3)

    assert torch.equal(data.x, torch.linspace(-1, 1, 1000).unsqueeze(1))
    assert torch.equal(data.y, data.x.square() + data.noise)
    assert [tuple(p.shape) for p in network.parameters()] == [(20, 1), (20,), (1, 20), (1,)]
    assert sum(p.numel() for p in network.parameters()) == problem.PARAMETERS
    assert torch.equal(torch.get_rng_state(), before)
    assert all(bool((p.abs() <= 1.0).all()) and p.std() > 0 for p in network[0].parameters())
    assert all(bool((p.abs() <= 20**-0.5).all()) for p in network[2].parameters())


def test_learning_rates_asked_for(tmp_path):
    """One rate replaces those of the declarations; several make a curve each."""
    records = run(tmp_path, items=("Adam",), extra={"seeds": 1, "steps": 2, "lr": (0.1, 0.5)})

    assert [(record["label"], record["lr"]) for record in curves(records)] == [("Adam lr 0.1", 0.1), ("Adam lr 0.5", 0.5)]
    assert [curve.lr for curve in converge.plan(("SGD",), [0], 1, converge.rates(0.25))] == [0.25, 0.25]
    assert converge.rates(None) == (None,)
    for wrong in (0.0, -1.0, (0.1, float("nan")), ()):
        with pytest.raises(UsageError, match="must be a positive number"):
            converge.rates(wrong)


def test_seeds_begin_at_the_seed_asked_for(tmp_path):
    """``seed`` moves the range of seeds."""
    records = run(tmp_path, items=("SGD",), seed=7, extra={"seeds": 1, "steps": 1})

    assert {record["seed"] for record in curves(records)} == {7}
    assert read(tmp_path / "optimbench-converge.jsonl").header["seeds"] == [7]
