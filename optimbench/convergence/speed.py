"""How fast the engine is: runs per second beside the loop that people write by hand, both on one thread of this machine.

``python -m optimbench.convergence.speed`` measures and writes ``optimbench-speed.jsonl``. In every round the plain loop and the
engine take turns, and the CPU time of the fastest round counts, since whatever else runs on the machine only adds to it.
"""

from __future__ import annotations

import argparse
import copy
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import torch
from rich.console import Console
from rich.progress import track

import optimbench.convergence.problems  # noqa: F401
from benchkit.request import Request
from benchkit.results import Record, Run
from optimbench.convergence import contenders, engine, plain_loop, probe
from optimbench.convergence.figures import speed as view
from optimbench.convergence.problem import PROBLEMS
from optimbench.convergence.replicas import CLOSURE
from optimbench.convergence.summary import printed
from optimbench.convergence.trajectory import Contender

PROBLEM_NAMES = ("parabola-batches", "parabola")
REPLICAS = (1, 16, 64, 256)
STEPS, ROUNDS = 200, 3


def cpu_seconds(work: Callable[[], object]) -> float:
    """The CPU time of one call."""
    began = time.process_time()
    work()
    return time.process_time() - began


def measure(problem_name: str, contender: Contender, steps: int, rounds: int) -> Record:
    """Runs per second of the plain loop and of the engine with 1 to 256 replicas, the fastest of the rounds."""
    problem = copy.copy(PROBLEMS[problem_name])
    if problem.batch is not None:
        problem.every = steps  # the loop by hand knows the loss of each batch, and no more
    lr = contenders.default_lr(contender) or problem.learning_rate
    path = probe.probe(problem, contender, {"lr": lr}).path

    def plain() -> object:
        return plain_loop.train(problem, contender, lr, 0, steps, path == CLOSURE)

    def together(replicas: int) -> object:
        for at in range(0, replicas, problem.block):  # as ``converge`` cuts it
            seeds = range(at, min(at + problem.block, replicas))
            engine.train(problem, contender, [{"lr": lr}], tuple(seeds), steps, path)
        return None

    plain(), together(1)  # what is loaded at first use is not counted
    counts = REPLICAS if path != CLOSURE else REPLICAS[:2]
    taken: dict[str, list[float]] = {}
    for _ in range(rounds):
        taken.setdefault(view.PLAIN, []).append(cpu_seconds(plain))
        for count in counts:
            taken.setdefault(str(count), []).append(cpu_seconds(lambda count=count: together(count)) / count)  # type: ignore[misc]
    rates = {name: 1.0 / min(seconds) for name, seconds in taken.items()}
    return {"problem": problem_name, "label": contender.label, "path": path, "steps": steps, "runs_per_second": rates}


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure all contenders, print the table and write the results file."""
    parser = argparse.ArgumentParser(prog="python -m optimbench.convergence.speed", description=__doc__)
    parser.add_argument("--steps", type=int, default=STEPS, help=f"evaluations in a run (default: {STEPS})")
    parser.add_argument("--rounds", type=int, default=ROUNDS, help=f"rounds (default: {ROUNDS})")
    parser.add_argument("--reports", type=Path, default=Path("reports"), help="folder for the results (default: reports)")
    options = parser.parse_args(arguments)
    if options.steps < 1 or options.rounds < 1:
        parser.error("--steps and --rounds must be 1 or more")
    torch.set_num_threads(1)
    request = Request("optimbench", "speed", reports=options.reports, extra={"steps": options.steps, "rounds": options.rounds})
    asked = [(name, contender) for name in PROBLEM_NAMES for contender in contenders.chosen([])]
    with Run.open(request) as run:
        records = []
        for name, contender in track(asked, "measuring", console=Console(stderr=True), transient=True):
            fields = measure(name, contender, options.steps, options.rounds)
            records.append(run.write("speed", f"{name}/{contender.label}", **fields))
        run.end()
    console = Console()
    for table in view.tables(records):
        console.print(printed(table), *table.notes, sep="\n", highlight=False)


if __name__ == "__main__":
    main()
