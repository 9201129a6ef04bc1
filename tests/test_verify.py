"""``verify`` as a user meets it: exit statuses, what is printed, and what a results file of a wrong class holds."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

import lossbench.cli
import optimbench.cli
from benchkit.results import read

HERE = str(Path(__file__).parent)  # the wrong and the right classes lie in ``meta``


def command(*words: str, reports: Path) -> list[str]:
    return [sys.executable, "-m", *words, "--device", "cpu", "--level", "quick", "--reports", str(reports)]


def run(*words: str, reports: Path) -> subprocess.CompletedProcess[str]:
    environment = os.environ | {"PYTHONPATH": HERE, "OMP_NUM_THREADS": "1", "COLUMNS": "120"}
    return subprocess.run(
        command(*words, reports=reports), env=environment, capture_output=True, text=True, check=False, timeout=300
    )


def paragraphs(text: str) -> list[list[str]]:
    """The printed failures: runs of lines between empty ones, those that name an item that differs."""
    found = [part.splitlines() for part in text.split("\n\n")]
    return [lines for lines in found if lines and "differs" in lines[0]]


@pytest.mark.parametrize(("suite", "item"), [("lossbench", "L1Loss"), ("optimbench", "Rprop")], ids=["loss", "optimizer"])
def test_a_right_item_has_exit_status_0(suite: str, item: str, tmp_path: Path) -> None:
    """Nothing on standard error, the table and the verdict on standard output, a complete results file."""
    outcome = run(suite, "verify", item, "--dtype", "float64", reports=tmp_path)
    results = read(tmp_path / f"{suite}-verify.jsonl")

    assert outcome.returncode == 0, outcome.stdout + outcome.stderr
    assert outcome.stderr.strip() == ""
    assert item in outcome.stdout
    assert "all right: " in outcome.stdout
    assert results.ended
    assert results.summary["status"] == 0
    assert results.summary["compared"] == sum(r["compared"] for r in results.of("check")) > 0


@pytest.mark.parametrize(
    ("suite", "item", "impl"),
    [("lossbench", "CrossEntropyLoss", "meta.broken:MeanOverAllRows"), ("optimbench", "Adam", "meta.broken:SkipsSecondGroup")],
    ids=["loss", "optimizer"],
)
def test_a_wrong_class_has_exit_status_1(suite: str, item: str, impl: str, tmp_path: Path) -> None:
    """Every failure is told in at most six lines, the last of which names a reproducer that is there."""
    outcome = run(suite, "verify", item, "--dtype", "float32", "--impl", impl, reports=tmp_path)
    results = read(tmp_path / f"{suite}-verify.jsonl")
    failed = [r for r in results.of("check") if r["status"] == "fail"]
    printed = paragraphs(outcome.stdout)

    assert outcome.returncode == 1, outcome.stdout + outcome.stderr
    assert "Traceback" not in outcome.stdout + outcome.stderr
    assert results.ended
    assert results.summary["status"] == 1
    assert failed
    assert printed
    assert all(len(lines) <= 6 for lines in printed)
    assert all(item in lines[0] and lines[1].startswith("case ") for lines in printed)
    assert all((tmp_path / r["repro"]).exists() for r in failed)


def test_a_class_that_ends_the_process_has_exit_status_1(tmp_path: Path) -> None:
    """sys.exit(0) in a class under test is its failure, not the end of the run."""
    outcome = run("lossbench", "verify", "L1Loss", "--dtype", "float32", "--impl", "meta.broken:Exits", reports=tmp_path)

    assert outcome.returncode == 1, outcome.stdout + outcome.stderr
    assert "raised SystemExit" in outcome.stdout
    assert read(tmp_path / "lossbench-verify.jsonl").ended


SIDES = pytest.mark.parametrize("side", [lossbench.cli.SIDE, optimbench.cli.SIDE], ids=lambda side: side.name)


@SIDES
@pytest.mark.parametrize(
    "words",
    [["--dtype", ""], ["--dtype", " , "], ["--device", ","], [""], ["--dtype", "float32", "--impl", ""]],
    ids=["no dtype", "commas", "no device", "no item", "no class"],
)
def test_an_empty_choice_is_no_choice(side, words: list[str], cli, tmp_path: Path) -> None:
    """A filter that names nothing is wrong usage: one sentence, and not a run of everything or of nothing."""
    result = cli(side, "verify", *words, "--reports", str(tmp_path))

    assert result.exit_code == 2
    assert result.stdout == ""
    assert len(result.stderr.splitlines()) == 1
    assert not (tmp_path / f"{side.name}-verify.jsonl").exists()


@SIDES
def test_a_module_that_exits_is_no_class(side, cli, tmp_path: Path, monkeypatch) -> None:
    """A script given as a module may call sys.exit(0) when it is imported: wrong usage, not success."""
    monkeypatch.syspath_prepend(str(tmp_path))
    (tmp_path / f"script_{side.name}.py").write_text("import sys\nsys.exit(0)\n")
    item = {"lossbench": "L1Loss", "optimbench": "SGD"}[side.name]
    result = cli(side, "verify", item, "--impl", f"script_{side.name}:Loss", "--reports", str(tmp_path))

    assert result.exit_code == 2
    assert "SystemExit" in result.stderr
    assert len(result.stderr.splitlines()) == 1


def test_ctrl_c_in_a_terminal(tmp_path: Path) -> None:
    """The terminal interrupts the workers too: exit status 130, one sentence, no traceback of theirs, a readable file."""
    words = command("lossbench", "verify", "TripletMarginLoss", "CrossEntropyLoss", reports=tmp_path)
    process = subprocess.Popen(
        words, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True,
        # What a shell starts in the background, as it may have started these tests, ignores Ctrl-C, and so do its children.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )  # fmt: skip
    path, deadline = tmp_path / "lossbench-verify.jsonl", time.monotonic() + 120
    while time.monotonic() < deadline and not (path.exists() and path.read_text(encoding="utf-8").count("\n") > 100):
        time.sleep(0.02)
    os.killpg(process.pid, signal.SIGINT)
    _, complaint = process.communicate(timeout=120)
    results = read(path)

    assert len(results.records) >= 100
    assert not results.ended
    assert process.returncode == 130
    assert "Traceback" not in complaint
    assert complaint.strip().startswith("lossbench: interrupted; the results so far are in")
