"""Reproducers: scripts that need torch alone, fail while the defect is there and pass once it is gone."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from benchkit.request import DISCREPANCY, Request
from benchkit.results import read
from lossbench.verify import verify as verify_losses
from optimbench.verify import verify as verify_optimizers

MODULE = """
import torch


class Halved(torch.nn.L1Loss):
    def forward(self, input, target):
        return 0.5 * super().forward(input, target)


class Slow(torch.optim.SGD):
    def step(self, closure=None):
        before = [p.detach().clone() for g in self.param_groups for p in g["params"]]
        super().step(closure)
        with torch.no_grad():
            for p, b in zip([p for g in self.param_groups for p in g["params"]], before):
                p.lerp_(b, 0.01)
"""


def run(script: Path, folder: Path) -> subprocess.CompletedProcess[str]:
    """Run a script where this project is not to be found."""
    return subprocess.run(
        [sys.executable, "-W", "error", "-W", "ignore::DeprecationWarning", str(script)],
        cwd=folder,
        env={"PYTHONPATH": str(folder)},
        capture_output=True,
        text=True,
    )


@pytest.mark.parametrize(
    ("suite", "item", "impl", "wrong", "right"),
    [
        ("lossbench", "L1Loss", "wrongs:Halved", "wrongs.Halved", "torch.nn.L1Loss"),
        ("optimbench", "SGD", "wrongs:Slow", "wrongs.Slow", "torch.optim.SGD"),
    ],
    ids=["loss", "optimizer"],
)
def test_a_reproducer_fails_until_the_class_is_right(
    suite: str, item: str, impl: str, wrong: str, right: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The script of a failure exits with 1, and with 0 when torch's own class stands in the place of the wrong one."""
    (tmp_path / "wrongs.py").write_text(MODULE, encoding="utf-8")
    monkeypatch.syspath_prepend(str(tmp_path))
    verify = verify_losses if suite == "lossbench" else verify_optimizers
    request = Request(suite, "verify", (item,), dtypes=("float32",), level="quick", impl=impl, reports=tmp_path / "reports")

    assert verify(request) == DISCREPANCY

    failed = [r for r in read(request.results_file).of("check") if r["status"] == "fail" and "differs" in r["message"][0]]
    assert failed
    assert all(len(r["message"]) <= 6 for r in failed)
    script = tmp_path / "reports" / failed[0]["repro"]
    text = script.read_text(encoding="utf-8")
    assert "benchkit" not in text
    assert "import numpy" not in text
    assert len(text.splitlines()) < 60
    assert run(script, tmp_path).returncode == 1

    script.write_text(text.replace(wrong, right), encoding="utf-8")
    outcome = run(script, tmp_path)
    assert outcome.returncode == 0, outcome.stdout + outcome.stderr


def test_a_live_defect_of_torch_has_a_reproducer(tmp_path: Path) -> None:
    """SoftMarginLoss overflows; its waived failures have the scripts of their findings, which show it with torch alone."""
    request = Request("lossbench", "verify", ("SoftMarginLoss",), dtypes=("float32",), reports=tmp_path)
    verify_losses(request)
    waived = [r for r in read(request.results_file).of("check") if r["status"] == "waived"]
    scripts = {r["repro"] for r in waived}

    assert waived
    assert None not in scripts
    assert len(scripts) > 1
    for script in scripts:
        outcome = run(tmp_path / script, tmp_path)
        assert outcome.returncode == 1, outcome.stdout + outcome.stderr
        assert any(words in outcome.stdout + outcome.stderr for words in ("AssertionError", "RuntimeError: Negation"))
