"""What the engine is measured against does the same work, and what a campaign would cost is simulated rightly."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import optimbench.convergence.problems  # noqa: F401
from benchkit.request import RIGHT, Request
from benchkit.results import read
from optimbench.convergence import contenders, engine, plain_loop, plan, probe, speed
from optimbench.convergence.command import converge
from optimbench.convergence.figures import speed as view
from optimbench.convergence.problem import PROBLEMS
from optimbench.convergence.replicas import CLOSURE
from optimbench.convergence.trajectory import Contender

CONTENDERS = [pytest.param(contender, id=contender.label) for contender in contenders.chosen([])]


@pytest.mark.parametrize("contender", CONTENDERS)
def test_plain_loop_and_engine_do_the_same_work(contender: Contender) -> None:
    """On the document's data, all points in a step: the losses of the loop by hand are those that the engine records."""
    problem, steps = PROBLEMS["parabola"], 8
    path = probe.probe(problem, contender, {"lr": 0.01}).path
    losses = plain_loop.train(problem, contender, 0.01, 3, steps, path == CLOSURE)
    trained = engine.train(problem, contender, [{"lr": 0.01}], (3,), steps, path)
    recorded = trained.losses[0, :-1] if path != CLOSURE else trained.losses[0, :1]

    assert len(losses) >= steps
    np.testing.assert_allclose(recorded, losses[: len(recorded)], rtol=1e-5)


@pytest.mark.parametrize("name", speed.PROBLEM_NAMES)
def test_speed_is_recorded_for_plain_loop_and_engine(name: str) -> None:
    """A rate for each number of replicas, and one for the loop; an optimizer with a closure has no large stacks."""
    for contender, counts in ((Contender("SGD", "SGD"), (1, 16, 64, 256)), (Contender("LBFGS", "LBFGS"), (1, 16))):
        record = speed.measure(name, contender, steps=2, rounds=1)

        assert set(record["runs_per_second"]) == {"plain", *map(str, counts)}
        assert all(rate > 0.0 for rate in record["runs_per_second"].values())
        assert [len(table.rows) for table in view.tables([record])] == [1]


def test_speed_command_writes_its_results(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """One record for each contender on each problem; wrong numbers are refused."""
    monkeypatch.setattr(speed.contenders, "chosen", lambda items: [Contender("SGD", "SGD")])
    monkeypatch.setattr(speed.torch, "set_num_threads", lambda count: None)
    speed.main(["--steps", "1", "--rounds", "1", "--reports", str(tmp_path)])

    assert [record["id"] for record in read(tmp_path / "optimbench-speed.jsonl").of("speed")] == [
        f"{name}/SGD" for name in speed.PROBLEM_NAMES
    ]
    assert "loop by hand" in capsys.readouterr().out
    with pytest.raises(SystemExit, match="2"):
        speed.main(["--steps", "0"])


def test_free_workers_take_the_next_shard() -> None:
    """Equal shards fill the workers round by round; unequal ones go to whoever is free."""
    assert plan.simulate(np.full(10, 3.0), 4, 0.0).wall == 9.0
    assert plan.simulate(np.array([5.0, 1.0, 1.0, 1.0, 1.0]), 2, 0.0).wall == 5.0
    forecast = plan.simulate(np.full(8, 2.0), 4, 0.0)
    assert (forecast.shards, forecast.work, forecast.efficiency(4)) == (8, 16.0, 1.0)


def test_the_coordinator_limits_many_workers() -> None:
    """With more workers than it can serve, the time is that of handing out."""
    forecast = plan.simulate(np.full(1000, 0.1), 10_000, 0.01)

    assert forecast.wall == pytest.approx(1000 * 0.01 + 0.1)
    assert plan.simulate(np.full(1000, 0.1), 5, 0.01).wall == pytest.approx(1000 * 0.11 / 5, rel=0.01)


def test_drawn_shards_hold_as_many_runs_as_asked() -> None:
    """From shards of 4 and of 16 runs; the same ones every time."""
    records = [{"cpu_seconds": 1.0, "runs": 4}, {"cpu_seconds": 8.0, "runs": 16}]
    drawn = plan.drawn(records, 100_000)

    assert len(drawn) == 10_000
    assert set(drawn) == {1.0, 8.0}
    assert np.array_equal(drawn, plan.drawn(records, 100_000))


def test_plan_command_reads_measured_shards(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """It says runs, shards, hours and minutes; without a run of converge it says what to do."""
    monkeypatch.setattr(plan, "dispatch_seconds", lambda scheduler: 1e-3)
    with pytest.raises(SystemExit, match="2"):
        plan.main(["--reports", str(tmp_path)])
    assert "cannot read the results file" in capsys.readouterr().err
    request = Request("optimbench", "converge", items=("SGD",), reports=tmp_path, extra={"seeds": 2, "steps": 2})
    assert converge(request) == RIGHT
    capsys.readouterr()
    plan.main(["--reports", str(tmp_path), "--runs", "1e4", "--workers", "7"])

    said = capsys.readouterr().out
    assert said.startswith("10000 runs like the ")
    assert "on 7 workers" in said
