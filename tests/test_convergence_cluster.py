"""Many machines: a dask scheduler with two workers gives what one process gives, also when a worker is killed in between."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import numpy as np
import pytest

from benchkit.results import read

pytest.importorskip("distributed", reason="the extra cluster is not installed")

CONVERGE = ["converge", "SGD", "Adam", "LBFGS", "--seeds", "12", "--steps", "40", "--grid", "lr=1e-3:1:log4"]
DEADLINE = 300.0
SERVER = "from distributed.cli.dask_{0} import main; main()"


class Cluster:
    """A scheduler and workers on this machine, each a process of its own."""

    def __init__(self, folder: Path, stack: ExitStack) -> None:
        self.folder, self.stack = folder, stack
        self.file = folder / "scheduler.json"
        words = ["--host", "127.0.0.1", "--port", "0", "--no-dashboard", "--no-jupyter", "--scheduler-file", str(self.file)]
        self.start("scheduler", *words)
        self.wait_for(self.file.exists)
        self.address = json.loads(self.file.read_text())["address"]

    def start(self, kind: str, *words: str) -> subprocess.Popen[bytes]:
        log = self.stack.enter_context((self.folder / f"{kind}-{time.monotonic_ns()}.log").open("wb"))
        command = [sys.executable, "-c", SERVER.format(kind), *words]
        process = subprocess.Popen(command, stdout=log, stderr=log, env=os.environ | {"OMP_NUM_THREADS": "1"})
        self.stack.callback(process.wait)
        self.stack.callback(process.kill)
        return process

    def worker(self, name: str) -> subprocess.Popen[bytes]:
        words = ["--nthreads", "1", "--no-nanny", "--no-dashboard", "--name", name, "--local-directory", str(self.folder)]
        return self.start("worker", self.address, *words)

    @staticmethod
    def wait_for(ready: object) -> None:
        end = time.monotonic() + DEADLINE
        while not ready():  # type: ignore[operator]
            assert time.monotonic() < end
            time.sleep(0.02)


@pytest.fixture
def cluster(tmp_path: Path) -> Iterator[Cluster]:
    with ExitStack() as stack:
        yield Cluster(tmp_path, stack)


def converge(reports: Path, *words: str) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-m", "optimbench", *CONVERGE, "--reports", str(reports), *words]
    return subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)


def shards(reports: Path) -> dict[str, dict[str, np.ndarray]]:
    """All arrays of all shards, without what a clock wrote."""
    found = {}
    for path in sorted((reports / "shards").glob("[!.]*.npz")):
        with np.load(path) as file:
            found[path.stem] = {name: file[name] for name in file.files if name != "seconds"}
    return found


def test_a_killed_worker_changes_nothing(cluster: Cluster, tmp_path: Path) -> None:
    """The same shards with the same bits as in one process, each once; both workers have worked, and one died in mid-run."""
    workers = [cluster.worker("first"), cluster.worker("second")]
    local, remote = tmp_path / "local", tmp_path / "remote"
    run = converge(remote, "--scheduler", cluster.address)
    results = remote / "optimbench-converge.jsonl"

    def half_way() -> bool:
        assert run.poll() is None, run.stderr.read() if run.stderr else ""
        seen = read(results).of("shard") if results.exists() else []
        return len({record["worker"] for record in seen}) == 2

    cluster.wait_for(half_way)
    before = len(read(results).of("shard"))
    workers[0].send_signal(signal.SIGKILL)
    _, errors = run.communicate(timeout=DEADLINE)
    assert run.returncode == 0, errors.decode()
    alone = converge(local)
    _, errors = alone.communicate(timeout=DEADLINE)
    assert alone.returncode == 0, errors.decode()
    here, there = read(local / results.name), read(results)
    ids = [record["id"] for record in there.of("shard")]

    assert before < len(ids) == len(set(ids))
    assert workers[1].poll() is None
    assert sorted(ids) == sorted(record["id"] for record in here.of("shard"))
    ours, theirs = shards(local), shards(remote)
    assert ours.keys() == theirs.keys() == set(ids)
    for id, arrays in ours.items():
        assert arrays.keys() == theirs[id].keys()
        assert all(array.tobytes() == theirs[id][name].tobytes() for name, array in arrays.items()), id
    for kind in ("entry", "tuning", "study"):
        timeless = [
            sorted(
                ({name: value for name, value in record.items() if not name.endswith("_seconds")} for record in run.of(kind)),
                key=lambda record: str(record["id"]),
            )
            for run in (here, there)
        ]
        assert timeless[0] == timeless[1]
        assert timeless[0]


def test_no_scheduler_is_told(tmp_path: Path) -> None:
    """An address where nothing listens: one sentence, status 2."""
    run = converge(tmp_path, "--scheduler", "tcp://127.0.0.1:1")
    _, errors = run.communicate(timeout=DEADLINE)
    last = errors.decode().strip().splitlines()[-1]

    assert run.returncode == 2
    assert last.startswith("optimbench: cannot reach a dask scheduler at --scheduler tcp://127.0.0.1:1")
