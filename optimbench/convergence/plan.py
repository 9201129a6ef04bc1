"""What a large campaign would cost on many workers, simulated from shards that were trained.

``python -m optimbench.convergence.plan --runs 1e6 --workers 100`` takes from ``optimbench-converge.jsonl`` how long its shards
took, measures what handing out a shard and storing what comes back costs here, and lets workers take shards in turn: each the
next one as soon as it is free, one coordinator serving them one after another.
"""

from __future__ import annotations

import argparse
import heapq
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from rich.console import Console

from benchkit.request import UsageError
from benchkit.results import Record, read
from optimbench.convergence import executors
from optimbench.convergence.problem import stream
from optimbench.convergence.shards import Finished, Store

TRIALS = 100  # shards that are handed out, or stored, to measure what that costs
RETURNED = 64 * 1024  # bytes that a shard sends back in the measurement


@dataclass(frozen=True)
class Forecast:
    """What the simulation found; all times in seconds."""

    shards: int
    work: float  # CPU time of all training
    overhead: float  # for each shard, at the coordinator
    wall: float

    def efficiency(self, workers: int) -> float:
        """The share of the workers' time that is training."""
        return self.work / (self.wall * workers)


def drawn(records: Sequence[Record], runs: int) -> NDArray[np.float64]:
    """CPU seconds of as many shards as hold ``runs`` training runs, drawn from the measured ones."""
    seconds = np.array([record["cpu_seconds"] for record in records])
    sizes = np.array([record["runs"] for record in records])
    count = max(1, round(runs / sizes.mean()))
    return np.asarray(seconds[stream("plan", "shards", 0).integers(0, len(records), count)])


def simulate(seconds: NDArray[np.float64], workers: int, overhead: float) -> Forecast:
    """Shards in the given order, each to the worker that is free first; the coordinator serves one at a time."""
    free = [0.0] * workers
    served = 0.0
    for length in seconds:
        served = max(served, free[0]) + overhead
        heapq.heapreplace(free, served + float(length))
    return Forecast(len(seconds), float(seconds.sum()), overhead, max(free))


def echo(data: bytes) -> bytes:
    return data


def dispatch_seconds(scheduler: str | None) -> float:
    """What it costs the coordinator to hand out a shard and to take in what comes back, without the training."""
    with executors.executor(scheduler, "cpu", little=False) as executor:
        executor.submit(echo, b"").result()  # workers start at first use
        began = time.perf_counter()
        for future in [executor.submit(echo, bytes(RETURNED)) for _ in range(TRIALS)]:
            future.result()
        return (time.perf_counter() - began) / TRIALS


def store_seconds() -> float:
    """What it costs to write a finished shard."""
    arrays = {"losses": stream("plan", "losses", 0).standard_normal((16, RETURNED // 128))}
    finished = Finished(arrays, 0.0, 0.0, "")
    with tempfile.TemporaryDirectory() as folder:
        store = Store(Path(folder))
        began = time.perf_counter()
        for number in range(TRIALS):
            store.save(str(number), finished)
        return (time.perf_counter() - began) / TRIALS


def main(arguments: Sequence[str] | None = None) -> None:
    """Read, measure, simulate, print."""
    parser = argparse.ArgumentParser(prog="python -m optimbench.convergence.plan", description=__doc__)
    parser.add_argument("--runs", type=float, default=1e6, help="training runs (default: 1e6)")
    parser.add_argument("--workers", type=int, default=100, help="workers of one core each (default: 100)")
    parser.add_argument("--scheduler", help="measure the handing out on the dask cluster behind this address")
    parser.add_argument("--reports", type=Path, default=Path("reports"), help="folder with the results of converge")
    options = parser.parse_args(arguments)
    if not options.runs >= 1 or options.workers < 1:
        parser.error("--runs and --workers must be 1 or more")
    try:
        records = read(options.reports / "optimbench-converge.jsonl").of("shard")
        if not records:
            parser.error(f"no shard was trained in {options.reports}; run 'optimbench converge' into an empty folder first")
        overhead = dispatch_seconds(options.scheduler) + store_seconds()
    except UsageError as error:
        parser.error(str(error))
    found = simulate(drawn(records, int(options.runs)), options.workers, overhead)
    runs = sum(record["runs"] for record in records)
    Console(soft_wrap=True).print(
        f"{options.runs:g} runs like the {runs} of {len(records)} measured shards: {found.shards} shards, "
        f"{found.work / 3600:.1f} core-hours of training; {1e3 * overhead:.1f} ms for each shard to hand out and store; on "
        f"{options.workers} workers {found.wall / 60:.1f} minutes, {100 * found.efficiency(options.workers):.0f} % of their "
        f"time training.",
        highlight=False,
    )


if __name__ == "__main__":
    main()
