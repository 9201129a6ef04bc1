"""Killed and interrupted runs: the results file stays readable, and --resume makes of it what an undisturbed run writes."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from benchkit.results import read

RUNS = {
    "verify": ["lossbench", "verify", "HingeEmbeddingLoss", "L1Loss", "--device", "cpu", "--dtype", "float32"],
    "prove": ["lossbench", "prove", "HingeEmbeddingLoss", "SoftMarginLoss"],
    "converge": ["optimbench", "converge", "SGD", "LBFGS", "--seeds", "8", "--steps", "60", "--protocol", "same,default"],
    "time": [
        "lossbench",
        "time",
        "L1Loss",
        "MSELoss",
        "--device",
        "cpu",
        "--size",
        "1000",
        "--size",
        "2000",
        "--level",
        "quick",
    ],
}
TIMES = {f"{name}_s" for name in ("min", "p10", "q1", "median", "q3", "iqr", "cpu")}
ROOF = {f"roof_{name}{end}" for name in ("share", "ratio") for end in ("", "_low", "_high")} | {"roof_gb_per_s", "roof_bytes"}
BESIDE = ("self_test", "machine", "cross_check")  # records that say how a run of time was measured
MEASURED = TIMES | ROOF | {  # what no two runs have in common
    "seconds", "samples", "samples_s", "calls", "runs", "gb_per_s", "page_faults", "load", "clock_mhz", "doubts",
    "cpu_seconds", "step_seconds", "evaluation_seconds", "worker",
}  # fmt: skip


def start(words: list[str], reports: Path, *more: str) -> subprocess.Popen[bytes]:
    """A run in a process group of its own; what it prints goes to a file, so that no pipe is left open or fills up."""
    command = [sys.executable, "-m", *words, "--reports", str(reports), *more]
    environment = os.environ | {"OMP_NUM_THREADS": "1"}
    with printed(reports).open("ab") as log:
        return subprocess.Popen(
            command, env=environment, stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True
        )


def printed(reports: Path) -> Path:
    return reports.with_suffix(".log")


def finish(words: list[str], reports: Path, *more: str) -> None:
    """A run to its end, which must be a good one."""
    status = start(words, reports, *more).wait(240)
    assert status == 0, printed(reports).read_text(encoding="utf-8")


def results_file(words: list[str], reports: Path) -> Path:
    return reports / f"{words[0]}-{words[1]}.jsonl"


def contents(path: Path) -> list[dict[str, object]]:
    """The records without what is measured, in an order of their own."""
    found = [record for record in read(path).records if record["kind"] not in BESIDE]
    records = [{k: v for k, v in record.items() if k not in MEASURED} for record in found]
    return sorted(records, key=lambda record: str(record["id"]))


def disturb(words: list[str], reports: Path, blow: signal.Signals) -> subprocess.Popen[bytes]:
    """Start a run and hit it once some records are there; the whole group, as a terminal or an out-of-memory killer may."""
    process = start(words, reports)
    path, deadline = results_file(words, reports), time.monotonic() + 120
    while time.monotonic() < deadline and process.poll() is None:
        if path.exists() and path.read_text(encoding="utf-8").count("\n") > 3:
            break
        time.sleep(0.02)
    if blow == signal.SIGKILL:
        os.killpg(process.pid, blow)
    else:
        os.kill(process.pid, blow)
    process.wait(60)
    return process


BLOWS = [("verify", signal.SIGKILL), ("verify", signal.SIGINT), ("time", signal.SIGKILL), ("prove", signal.SIGINT)]


@pytest.mark.parametrize(("name", "blow"), BLOWS, ids=["verify-kill", "verify-interrupt", "time-kill", "prove-interrupt"])
def test_a_disturbed_run_is_readable_and_resumes(name: str, blow: signal.Signals, tmp_path: Path) -> None:
    """After the blow the file can be read; --resume ends with the records of an undisturbed run, each once."""
    words = RUNS[name]
    disturbed = disturb(words, tmp_path / "disturbed", blow)
    before = read(results_file(words, tmp_path / "disturbed"))
    assert before.header["suite"] == words[0]
    if not before.ended:
        assert disturbed.returncode == (130 if blow == signal.SIGINT else -signal.SIGKILL)

    finish(words, tmp_path / "disturbed", "--resume")
    finish(words, tmp_path / "whole")

    expected = contents(results_file(words, tmp_path / "whole"))
    actual = contents(results_file(words, tmp_path / "disturbed"))
    ids = [record["id"] for record in actual]

    assert len(ids) == len(set(ids))
    assert expected == actual


def test_the_same_command_gives_the_same_numbers(tmp_path: Path) -> None:
    """Two runs of a verification differ in their headers alone."""
    words = RUNS["verify"]
    for folder in ("one", "two"):
        finish(words, tmp_path / folder)
    lines = [results_file(words, tmp_path / f).read_text(encoding="utf-8").splitlines()[1:-1] for f in ("one", "two")]

    assert lines[0]
    assert lines[0] == lines[1]


ORPHANS = """
import os, time
from benchkit import workers

def number(_):
    return os.getpid()

if __name__ == "__main__":
    with workers.pool(1) as pool:
        print(pool.submit(number, 0).result(), flush=True)
        pool.submit(time.sleep, 600)
        time.sleep(600)
"""


def test_workers_end_with_the_run_that_is_killed(tmp_path: Path) -> None:
    """A run alone is killed, not its group: its worker, in the middle of ten minutes of work, ends too."""
    (tmp_path / "orphans.py").write_text(ORPHANS, encoding="utf-8")
    run = subprocess.Popen([sys.executable, "orphans.py"], cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    with run:
        assert run.stdout is not None
        worker = int(run.stdout.readline())
        os.kill(worker, 0)
        run.kill()
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline and alive(worker):
        time.sleep(0.05)
    assert not alive(worker)


def alive(process: int) -> bool:
    """Whether there is such a process, and it is more than an entry that nobody has asked for."""
    try:
        os.kill(process, 0)
        return not Path(f"/proc/{process}/stat").exists() or Path(f"/proc/{process}/stat").read_text().split()[2] != "Z"
    except (ProcessLookupError, FileNotFoundError):
        return False
