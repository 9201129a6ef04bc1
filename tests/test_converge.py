"""``converge``: the protocols are fair, shards are done once and shared, interrupted runs go on, bad input is told."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from benchkit.request import DISCREPANCY, RIGHT, Request, UsageError
from benchkit.results import read
from optimbench.convergence import command, executors, protocols, shards
from optimbench.convergence.contenders import default_lr
from optimbench.convergence.problem import PROBLEMS
from optimbench.convergence.shards import Finished, Shard, Store
from optimbench.convergence.study import SHARDS, studies
from optimbench.convergence.trajectory import Contender, Study
from reference import OPTIMIZERS

ITEMS = ("SGD", "Adam", "LBFGS")
EXTRA = {"seeds": 6, "steps": 12, "grid": "lr=1e-3:1:log4"}
CLOCK = {"seconds", "cpu_seconds", "step_seconds", "evaluation_seconds", "worker", "time"}


def run(reports: Path, status: int = RIGHT, **how: Any) -> Path:
    """Run the command; where its results file is."""
    request = Request(suite="optimbench", command="converge", reports=reports, **{"items": ITEMS, "extra": EXTRA, **how})
    assert command.converge(request) == status
    return request.results_file


def records(path: Path) -> list[dict[str, Any]]:
    """The records without what a clock wrote, in an order of their own."""
    found = [{k: v for k, v in record.items() if k not in CLOCK} for record in read(path).records]
    return sorted(found, key=lambda record: (record["kind"], record["id"]))


@pytest.fixture(scope="module", autouse=True)
def in_this_process() -> Iterator[None]:
    """No worker processes but where a test asks for them."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(command, "LITTLE", 10**9)
        yield


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The results file of an undisturbed run."""
    return run(tmp_path_factory.mktemp("whole"))


@pytest.fixture(scope="module")
def found(whole: Path) -> dict[str, Study]:
    """Its studies by protocol."""
    return {study.protocol: study for study in studies(whole)}


def test_studies_hold_every_contender_on_every_seed(found: dict[str, Study]) -> None:
    """Three protocols of the document's problem, four curves each, in one order; losses of all seeds at all steps."""
    assert set(found) == set(protocols.PROTOCOLS)
    for study in found.values():
        assert study.problem == "parabola"
        assert [entry.contender.label for entry in study.entries] == ["Adam", "LBFGS", "SGD", "SGD, momentum 0.9"]
        assert study.floor.tolist() == [PROBLEMS["parabola"].floor(seed) for seed in range(6)]
        for entry in study.entries:
            assert entry.seeds == tuple(range(6))
            assert entry.losses.shape == entry.evaluations.shape == (6, 13)
            assert np.isfinite(entry.losses).all()
            assert entry.step_seconds > 0.0
            assert entry.path == ("closure" if entry.contender.name == "LBFGS" else "stack")


def test_all_contenders_start_from_one_point_in_every_seed(found: dict[str, Study]) -> None:
    """Under every protocol the first record of a seed is the same for all, and another in another seed."""
    starts = np.stack([entry.losses[:, 0] for study in found.values() for entry in study.entries])

    np.testing.assert_allclose(starts, np.broadcast_to(starts[0], starts.shape), rtol=1e-6)
    assert len(set(starts[0].tolist())) == 6


def test_learning_rates_are_those_of_the_protocols(found: dict[str, Study]) -> None:
    """One for all, each one's default, the best of the grid."""
    assert {entry.setting["lr"] for entry in found["same"].entries} == {0.01}
    for entry in found["default"].entries:
        assert entry.setting == {"lr": default_lr(entry.contender)}
    assert not found["same"].tunings
    for entry in found["tuned"].entries:
        tuning = found["tuned"].tunings[entry.contender.label]
        assert entry.setting == tuning.settings[tuning.chosen]
        assert [setting["lr"] for setting in tuning.settings] == pytest.approx([1e-3, 1e-2, 0.1, 1.0])
        assert np.median(tuning.finals, axis=1).argmin() == tuning.chosen
        assert tuning.runs == tuning.finals.size == 4 * PROBLEMS["parabola"].tuning_seeds


def test_tuning_sees_no_reported_seed(whole: Path) -> None:
    """The seeds of the tunings are none of those that are reported, and reported ones cannot be asked for among them."""
    results = read(whole)
    tuning = {seed for record in results.of("tuning") for seed in record["seeds"]}
    reported = {seed for record in results.of("entry") for seed in record["seeds"]}

    assert len(tuning) == PROBLEMS["parabola"].tuning_seeds
    assert not tuning & reported
    with pytest.raises(UsageError, match="seeds from 1000000 on are those that tuning uses"):
        protocols.tuning_seeds(range(999_990, 1_000_001))


def test_a_tuned_setting_is_better_on_the_reported_seeds_too(found: dict[str, Study]) -> None:
    """What tuning chose on its seeds is no worse on the others than the shared rate was, for those it moved away."""
    for same, tuned in zip(found["same"].entries, found["tuned"].entries, strict=True):
        assert np.median(tuned.final) <= np.median(same.final) * (1 + 1e-6)


def test_diverged_runs_are_never_chosen() -> None:
    """NaN counts as infinitely bad, also where it is in the majority or overflows to minus infinity."""
    settings = ({"lr": 0.1}, {"lr": 1.0}, {"lr": 10.0})
    nan, inf = np.nan, np.inf

    assert protocols.tuned(settings, np.array([[3.0, 4.0], [2.0, nan], [nan, nan]])).chosen == 0
    assert protocols.tuned(settings, np.array([[3.0, 4.0], [-inf, -inf], [5.0, 1.0]])).chosen == 2
    assert protocols.tuned(settings, np.array([[2.0, 2.0], [2.0, 2.0], [2.0, 2.0]])).chosen == 0


def test_same_command_same_numbers(whole: Path, tmp_path: Path) -> None:
    """A second run elsewhere writes the same records and the same arrays."""
    again = run(tmp_path)

    assert records(again) == records(whole)
    for record in read(again).of("shard"):
        one, other = (Store(path.parent / SHARDS).load(record["id"]) for path in (again, whole))
        assert all(one[name].tobytes() == other[name].tobytes() for name in one if name != "seconds")


def test_processes_give_the_same_numbers(whole: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Trained in two processes or in this one, and by two threads of torch or one."""
    monkeypatch.setattr(command, "LITTLE", 0)
    monkeypatch.setattr("benchkit.workers.cores", lambda: 2)
    before = torch.get_num_threads()

    assert records(run(tmp_path)) == records(whole)
    assert torch.get_num_threads() == before


@pytest.mark.parametrize("kept", [1, 5, 12, 20])
def test_interrupted_run_resumes_to_the_same(whole: Path, tmp_path: Path, kept: int, trained: list[Shard]) -> None:
    """Cut off after some records and in the middle of the next: only shards that had not come are trained."""
    lines = whole.read_bytes().splitlines(keepends=True)
    (tmp_path / SHARDS).mkdir()
    there = {record["id"] for record in map(json.loads, lines[:kept]) if record["kind"] == "shard"}
    for id in there:
        (tmp_path / SHARDS / f"{id}.npz").write_bytes((whole.parent / SHARDS / f"{id}.npz").read_bytes())
    (tmp_path / whole.name).write_bytes(b"".join(lines[:kept]) + lines[kept][: len(lines[kept]) // 2])

    assert records(run(tmp_path, resume=True)) == records(whole)
    assert {shard.id for shard in trained} == {record["id"] for record in read(whole).of("shard")} - there


@pytest.fixture
def trained(monkeypatch: pytest.MonkeyPatch) -> list[Shard]:
    """The shards that are computed in a test."""
    seen: list[Shard] = []
    compute = shards.compute

    def counted(shard: Shard, id: str) -> Finished:
        seen.append(shard)
        return compute(shard, id)

    monkeypatch.setattr(shards, "compute", counted)
    return seen


def test_nothing_is_trained_twice(whole: Path, tmp_path: Path, trained: list[Shard]) -> None:
    """Within a run every shard is another; a run over finished shards trains none, one with more seeds the new ones."""
    run(tmp_path)
    first = {shard.id for shard in trained}
    assert len(first) == len(trained) == len(read(whole).of("shard"))
    trained.clear()
    run(tmp_path)
    assert not trained
    run(tmp_path, extra={**EXTRA, "seeds": 40})
    assert trained
    assert not {shard.id for shard in trained} & first
    assert not any(set(shard.seeds) >= set(range(4)) and shard.path == "closure" for shard in trained)


def test_default_and_same_share_what_they_have_in_common(tmp_path: Path, trained: list[Shard]) -> None:
    """Adagrad's default is the shared rate: both protocols are one training."""
    assert OPTIMIZERS["Adagrad"].defaults["lr"] == PROBLEMS["parabola"].learning_rate
    path = run(tmp_path, items=("Adagrad",), extra={"seeds": 2, "steps": 3, "protocol": ["same", "default"]})
    same, default = studies(path)

    assert len(trained) == 1
    assert np.array_equal(same.entries[0].losses, default.entries[0].losses)


def shard(**other: Any) -> Shard:
    fields: dict[str, Any] = {
        "problem": "parabola", "contender": Contender("SGD", "SGD"), "settings": ({"lr": 0.1},), "seeds": (0, 1),
        "steps": 3, "path": "stack", "device": "cpu",
    }  # fmt: skip
    return Shard(**{**fields, **other})


def test_a_shard_is_named_by_all_that_it_computes() -> None:
    """Any other field makes another name; the same fields the same one."""
    others = [
        {"problem": "beale"}, {"contender": Contender("Adam", "SGD")},
        {"contender": Contender("SGD", "SGD", {"momentum": 0.9})},
        {"settings": ({"lr": 0.2},)}, {"seeds": (0, 2)}, {"steps": 4}, {"path": "views"}, {"device": "cuda"},
    ]  # fmt: skip
    names = [shard().id, *(shard(**other).id for other in others)]

    assert len(set(names)) == len(names)
    assert shard().id == shard().id


@pytest.mark.parametrize(
    ("problem", "edited", "changes"),
    [
        ("beale", "problems.beale", True),
        ("beale", "problems.plane", True),
        ("beale", "problems.digits", False),
        ("softmax", "problems.digits", True),
        ("softmax", "engine", True),
        ("softmax", "replicas", True),
        ("softmax", "contenders", True),
        ("softmax", "figures.curves", False),
    ],
)
def test_a_shard_is_named_by_the_sources_that_compute_it(
    problem: str, edited: str, changes: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An edit of the problem, of what it is made from or of the engine makes another name; one elsewhere does not."""
    before, text = shard(problem=problem).id, shards.text
    comment = lambda module: text(module) + "# edited" * (module == f"optimbench.convergence.{edited}")  # noqa: E731
    monkeypatch.setattr(shards, "text", comment)

    assert (shard(problem=problem).id != before) == changes


def test_a_worker_of_other_sources_is_found_out(monkeypatch: pytest.MonkeyPatch) -> None:
    """A worker whose torch or sources differ would compute something else under the same name: it refuses."""
    wanted = shard().id
    monkeypatch.setattr(torch, "__version__", "0.0.0")

    with pytest.raises(shards.Failed, match="has another torch or other sources"):
        shards.compute(shard(), wanted)


def test_a_torn_shard_is_not_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is interrupted while it is written leaves no file behind, neither under its name nor under another."""
    store, finished = Store(tmp_path), shards.compute(shard(), shard().id)

    def interrupted(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(shards.os, "replace", interrupted)
    with pytest.raises(KeyboardInterrupt):
        store.save("x", finished)
    assert not store.has("x")
    assert not list(tmp_path.iterdir())


def test_a_killed_worker_is_one_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    """A process that dies under its work, as the system kills those that want too much memory, is told with what to do."""
    monkeypatch.setattr("benchkit.workers.cores", lambda: 2)
    last_words = pytest.raises(UsageError, match="go on from what was finished with --resume")
    with last_words, executors.executor(None, "cpu", little=False) as pool:
        pool.submit(os._exit, 1).result()


def test_missing_shard_is_told(whole: Path, tmp_path: Path) -> None:
    """A results file whose shards are gone says which, and what to do."""
    (tmp_path / whole.name).write_bytes(whole.read_bytes())

    with pytest.raises(UsageError, match="is missing, and parabola/same/Adam needs it; run the same"):
        studies(tmp_path / whole.name)


OWN = """
import torch

class Mine(torch.optim.SGD):
    made = 0

class Breaks(torch.optim.SGD):
    def step(self, closure=None):
        self.made = getattr(self, "made", 0) + 1
        if self.made > 15:
            raise ArithmeticError("enough")
        super().step()

class NoDefault(torch.optim.SGD):
    def __init__(self, params, lr):
        super().__init__(params, lr=lr)
"""


@pytest.fixture
def own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """A module of a user's own."""
    (tmp_path / "own_optimizers.py").write_text(OWN)
    monkeypatch.syspath_prepend(str(tmp_path))
    yield "own_optimizers"
    sys.modules.pop("own_optimizers", None)


def test_an_own_optimizer_stands_beside_the_others(own: str, tmp_path: Path) -> None:
    """A class derived from SGD has SGD's numbers, under its own name, in every protocol."""
    path = run(tmp_path / "r", items=("SGD",), extra={**EXTRA, "optimizer": [f"{own}:Mine"]})

    for study in studies(path):
        mine = {entry.contender.label: entry for entry in study.entries}
        assert list(mine) == ["SGD", "SGD, momentum 0.9", "Mine"]
        assert mine["Mine"].contender.name == f"{own}:Mine"
        if study.protocol != "tuned":
            assert np.array_equal(mine["Mine"].losses, mine["SGD"].losses)


def test_an_optimizer_that_breaks_takes_nothing_along(own: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """It is told with its own words, status 1; the others are there. One without a default rate has no curve under default."""
    extra = {"seeds": 2, "steps": 30, "optimizer": [f"{own}:Breaks", f"{own}:NoDefault"], "protocol": ["same", "default"]}
    path = run(tmp_path / "r", status=DISCREPANCY, items=("SGD",), extra=extra)
    labels = {study.protocol: [entry.contender.label for entry in study.entries] for study in studies(path)}

    assert labels["same"] == ["SGD", "SGD, momentum 0.9", "NoDefault"]
    assert labels["default"] == ["SGD", "SGD, momentum 0.9"]
    assert "parabola/same/Breaks could not be trained: ArithmeticError: enough" in capsys.readouterr().err
    assert len(read(path).of("failure")) == 2


def test_those_that_cannot_train_a_problem_are_left_out(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """With a plain word; alone they are wrong usage."""
    extra = {"seeds": 2, "steps": 3, "problem": ["beale"], "protocol": ["same"]}
    path = run(tmp_path, items=("Muon", "SGD"), extra=extra)

    assert [entry.contender.name for entry in studies(path)[0].entries] == ["SGD", "SGD"]
    assert "Muon with AdamW left out of beale: it takes matrices only" in capsys.readouterr().err
    with pytest.raises(UsageError, match="nothing to train"):
        run(tmp_path, items=("Muon",), extra=extra)


def test_several_shared_rates_make_a_curve_each(tmp_path: Path) -> None:
    """They are told apart by their labels."""
    (study,) = studies(run(tmp_path, items=("Adam",), extra={"seeds": 2, "steps": 3, "protocol": ["same"], "lr": (0.1, 0.5)}))

    assert [(entry.contender.label, entry.setting["lr"]) for entry in study.entries] == [
        ("Adam, lr 0.1", 0.1),
        ("Adam, lr 0.5", 0.5),
    ]


def test_a_second_hyperparameter_is_tuned_where_there_is_one(tmp_path: Path) -> None:
    """All pairs for the class that has the option, learning rates alone for one that has not, or whose curve fixes it."""
    extra = {**EXTRA, "seeds": 2, "grid": "lr=0.1,0.5", "second": "momentum=0:0.9:lin3", "protocol": ["tuned"]}
    (study,) = studies(run(tmp_path, items=("Adam", "SGD"), extra=extra))

    assert [len(study.tunings[label].settings) for label in ("Adam", "SGD", "SGD, momentum 0.9")] == [2, 6, 2]
    assert study.tunings["SGD"].settings[1] == {"lr": 0.1, "momentum": 0.45}


@pytest.mark.parametrize(
    ("extra", "message"),
    [
        ({"problem": ["parabole"]}, "unknown problem 'parabole'; it must be all or one of .*CONDITION.*mean parabola"),
        ({"protocol": ["best"]}, "unknown protocol 'best'; it must be all or one of same, default, tuned"),
        ({"grid": "lr=1:0.1:log9"}, "cannot read --grid 'lr=1:0.1:log9'; it must look like lr=1e-4:1:log9"),
        ({"grid": "0.1,0.2"}, "cannot read --grid"),
        ({"grid": "lr=0:1:log3"}, "cannot read --grid"),
        ({"grid": "lr=a,b"}, "cannot read --grid"),
        ({"grid": "momentum=0,0.9"}, "it must sweep lr over positive numbers"),
        ({"grid": "lr=-1,1"}, "it must sweep lr over positive numbers"),
        ({"second": "colour=1,2"}, "no optimizer asked for has an option 'colour'"),
        ({"second": "lr=1,2"}, "another hyperparameter than lr"),
        ({"optimizer": ["nowhere"]}, "cannot read --optimizer 'nowhere'; it must have the form module:attribute"),
        ({"optimizer": ["no_such_module:X"]}, "there is no module 'no_such_module' for --optimizer"),
        ({"optimizer": ["torch.optim:Adan"]}, "no attribute 'Adan' for --optimizer; did you mean Adam"),
    ],
)  # fmt: skip
def test_wrong_usage_is_one_sentence(tmp_path: Path, extra: dict[str, Any], message: str) -> None:
    """It names the option and what is allowed, before anything is written."""
    with pytest.raises(UsageError, match=message) as caught:
        run(tmp_path, extra=extra)
    assert "\n" not in str(caught.value)
    assert not list(tmp_path.iterdir())


def test_sweeps() -> None:
    """Equal ratios, equal distances, lists."""
    assert protocols.read_sweep("lr=1e-2:1:log3", "--grid").values == (0.01, 0.1, 1.0)
    assert protocols.read_sweep("b = 0:1:lin3", "--second") == protocols.Sweep("b", (0.0, 0.5, 1.0))
    assert protocols.read_sweep("lr=0.3, 0.1,0.3", "--grid").values == (0.3, 0.1)


def test_declared_learning_rates_reach_both_sides_of_the_default(trained: list[Shard]) -> None:
    """Without --grid every class is tuned over rates below and above its own default."""
    del trained
    for name, item in OPTIMIZERS.items():
        rates = [setting["lr"] for setting in protocols.grid(Contender(name, name), None, None)]
        assert min(rates) < item.defaults["lr"] < max(rates), name
        assert len(rates) >= 5


def test_the_command_line_passes_everything_on(
    cli: Callable[..., Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each option of the shell reaches the plan."""
    import optimbench.cli

    plans = []
    monkeypatch.setattr(command, "carry_out", lambda plan, run, request: plans.append((plan, request)) or RIGHT)
    words = ["converge", "adam", "--problem", "beale,rosenbrock", "--problem", "quadratic-7-rotated", "--protocol", "tuned"]
    words += ["--seeds", "3", "--steps", "5", "--lr", "0.5", "--grid", "lr=0.1,1", "--second", "eps=1e-8,1e-3"]
    words += ["--optimizer", "torch.optim:SGD", "--scheduler", "tcp://here:1", "--reports", str(tmp_path)]
    result = cli(optimbench.cli.SIDE, *words)
    assert result.exit_code == RIGHT, result.stderr
    ((plan, request),) = plans

    assert set(plan.problems) == {"beale", "rosenbrock", "quadratic-7-rotated"}
    assert [contender.name for contender in plan.contenders] == ["Adam", "torch.optim:SGD"]
    assert plan.protocols == ("tuned",)
    assert (plan.seeds, plan.steps, plan.lrs) == ((0, 1, 2), 5, (0.5,))
    assert plan.grid is not None
    assert plan.second is not None
    assert plan.grid.values == (0.1, 1.0)
    assert plan.second.name == "eps"
    assert request.extra["scheduler"] == "tcp://here:1"
