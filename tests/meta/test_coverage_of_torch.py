"""Every loss and every optimizer of the installed torch has a declaration, and one that has none is reported."""

from __future__ import annotations

import dataclasses

import pytest
import torch

from benchkit.attribute import public_classes
from benchkit.request import RIGHT, Request
from benchkit.results import read
from benchkit.verification import uncovered, verify
from lossbench.verify import BENCH as LOSSES
from optimbench.verify import BENCH as OPTIMIZERS

SIDES = pytest.mark.parametrize("bench", [LOSSES, OPTIMIZERS], ids=["losses", "optimizers"])


@SIDES
def test_every_class_of_torch_is_declared(bench) -> None:
    """By introspection: a class that a newer torch has makes this fail until somebody declares it."""
    assert uncovered(bench) == []


def test_the_introspection_sees_what_is_there() -> None:
    """The common ones, the deprecated one, the one that is no subclass of the others; no base class and nothing private."""
    losses, optimizers = LOSSES.classes(), OPTIMIZERS.classes()

    assert {"torch.nn.L1Loss", "torch.nn.NLLLoss2d", "torch.nn.AdaptiveLogSoftmaxWithLoss"} <= set(losses)
    assert {"torch.optim.Adam", "torch.optim.LBFGS"} <= set(optimizers)
    assert "torch.optim.Optimizer" not in optimizers
    assert not [path for path in (*losses, *optimizers) if path.rpartition(".")[2].startswith("_")]


class NovelLoss(torch.nn.L1Loss):
    """A class that a newer torch might have."""


class Novel(torch.optim.SGD):
    """An optimizer that a newer torch might have."""


def test_a_new_class_is_uncovered(monkeypatch: pytest.MonkeyPatch) -> None:
    """By its name, and by its descent where the name says nothing."""
    monkeypatch.setattr(torch.nn, "NovelLoss", NovelLoss, raising=False)
    monkeypatch.setattr(torch.nn, "Novelty", NovelLoss, raising=False)
    monkeypatch.setattr(torch.optim, "Novel", Novel, raising=False)

    assert {"torch.nn.NovelLoss", "torch.nn.Novelty"} <= set(uncovered(LOSSES))
    assert "torch.optim.Novel" in uncovered(OPTIMIZERS)


def test_verify_tells_of_uncovered_classes(tmp_path, monkeypatch, capsys) -> None:
    """A line at the end, and an entry of the results file; it is no discrepancy. Of one item alone, nothing is said."""
    bench = dataclasses.replace(
        LOSSES,
        registry={"L1Loss": LOSSES.registry["L1Loss"]},
        classes=lambda: ["torch.nn.L1Loss", "torch.nn.NovelLoss"],
    )
    monkeypatch.setattr("lossbench.verify.BENCH", bench)
    request = Request("lossbench", "verify", level="quick", dtypes=("float32",), reports=tmp_path)

    assert verify(request, bench) == RIGHT
    assert "uncovered: no declaration speaks of torch.nn.NovelLoss" in capsys.readouterr().out
    assert read(request.results_file).summary["uncovered"] == ["torch.nn.NovelLoss"]

    verify(dataclasses.replace(request, items=("L1Loss",)), bench)
    assert "no declaration speaks" not in capsys.readouterr().out


def test_only_wanted_classes_are_found() -> None:
    """Functions and modules beside the classes are left out, and so is what nobody wants."""
    assert public_classes("torch.optim", lambda name, found: name == "SGD") == ["torch.optim.SGD"]
