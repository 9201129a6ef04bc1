"""The exit status of ``prove``: 0 when all planted bugs are caught, 1 with a survivor or a refused reference."""

from __future__ import annotations

import numpy as np
import pytest

import reference
from benchkit import proving
from benchkit.domains import reals
from benchkit.request import DISCREPANCY, RIGHT, Request
from benchkit.results import Results, read
from benchkit.spec import Loss
from lossbench.prove import prove


@pytest.fixture
def fake(monkeypatch: pytest.MonkeyPatch) -> Loss:
    """A small loss of its own with one planted bug, among the declared ones for a while."""
    item = Loss("torch.nn.Fake", lambda x: x * x, inputs={"input": reals()}, legacy=False, tags=frozenset({"elementwise"}))
    item.reductions = {"mean": None, "sum": None, "none": None}
    item.gradient(lambda x: (2.0 * x,))
    item.planted("half")(lambda x: 0.5 * x * x)
    monkeypatch.setitem(reference.LOSSES, item.name, item)
    for made in (proving.mutants, proving._cases):  # kept by name, and every test has its own item of this one
        made.cache_clear()
    return item


def outcome(folder, capsys: pytest.CaptureFixture[str]) -> tuple[int, Results, str]:
    request = Request("lossbench", "prove", ("Fake",), level="quick", reports=folder)
    status = prove(request)
    return status, read(request.results_file), capsys.readouterr().out


def planted(results: Results) -> dict[str, dict]:
    """The records of the control and the planted bugs; the generic ones are about all losses."""
    return {r["bug"]: r for r in results.of("mutant") if r["group"] in (proving.CONTROL, proving.PLANTED)}


def test_all_caught(fake: Loss, tmp_path, capsys) -> None:
    """One bug, one control, and the records say what caught the bug."""
    status, results, _ = outcome(tmp_path, capsys)
    assert status == RIGHT
    assert {name: r["status"] for name, r in planted(results).items()} == {"the reference itself": "passed", "half": "caught"}
    assert planted(results)["half"]["by"].startswith("<lambda>")
    assert results.summary["caught"] == len(results.of("mutant")) - 1


def test_a_survivor(fake: Loss, tmp_path, capsys) -> None:
    """The same formula in other words is no bug: nothing catches it, and that is printed."""
    fake.planted("none at all")(lambda x: np.square(x))
    status, results, printed = outcome(tmp_path, capsys)
    assert status == DISCREPANCY
    assert [planted(results)[name]["status"] for name in (proving.REFERENCE, "half", "none at all")] == [
        "passed",
        "caught",
        "survived",
    ]
    assert results.summary["survived"] == 1
    assert "Fake: 'none at all' survived" in printed


def test_a_refused_reference(fake: Loss, tmp_path, capsys) -> None:
    """A control that the checks refuse, here for a derivative that fails, makes what they catch worthless."""

    def broken(x):
        raise ZeroDivisionError("no derivative")

    fake.gradient(broken)
    status, results, printed = outcome(tmp_path, capsys)
    assert status == DISCREPANCY
    assert planted(results)[proving.REFERENCE]["status"] == "failed"
    assert "'the reference itself' failed" in printed


def test_a_bug_in_the_gradient_alone(fake: Loss, tmp_path, capsys) -> None:
    """Caught by the checks of gradients."""
    fake.planted_bugs.clear()
    fake.planted("gradient of the half", part="gradient")(lambda x: (x,))
    status, results, _ = outcome(tmp_path, capsys)
    assert status == RIGHT
    assert "-gradient-" in planted(results)["gradient of the half"]["by"]
