"""``converge``: the same network on the same data, trained with every optimizer from the same initial weights.

Within a seed every curve has the same data and the same start. A curve is one record, written as soon as it and those before
it are done, so that an interrupted run continues where it stopped. The pictures are made from the records alone.
"""

from __future__ import annotations

import multiprocessing
import operator
import os
import signal
import statistics
import threading
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from contextlib import contextmanager
from typing import Any, NamedTuple

import torch
from rich.box import SIMPLE
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table
from torch import nn

from benchkit.request import RIGHT, Request, UsageError
from benchkit.results import Record, Run
from optimbench import problem
from reference import OPTIMIZERS

SEEDS = 16
STEPS = 200
LR = 0.01  # where a declaration names no learning rate of its own
VARIANTS: tuple[tuple[str, dict[str, Any]], ...] = (("SGD", {"momentum": 0.9}),)  # more curves of the document's figure
FITTED = 101  # points at which the fit of the first seed is kept
WORTH_A_PROCESS = 24  # curves; below this a second process costs more than it brings


class Curve(NamedTuple):
    """One training run to do: an optimizer with its options, a learning rate and a seed."""

    optimizer: str
    options: dict[str, Any]
    label: str
    lr: float
    seed: int
    steps: int
    keep_fit: bool

    @property
    def id(self) -> str:
        return f"{self.label.replace(' ', '-')}-lr{self.lr:g}-seed{self.seed}"


def converge(request: Request) -> int:
    """Train every curve that the results file does not hold yet; ``extra`` may hold ``seeds``, ``steps`` and ``lr``."""
    seeds = range(request.seed, request.seed + int(request.extra.get("seeds") or SEEDS))
    steps = int(request.extra.get("steps") or STEPS)
    curves = plan(chosen(request.items), seeds, steps, rates(request.extra.get("lr")))
    with Run.open(request, steps=steps, seeds=list(seeds)) as run:
        for seed in seeds:
            if data_id(seed) not in run.done("data"):
                run.write("data", data_id(seed), **describe_data(seed, keep_points=seed == seeds[0]))
        todo = [curve for curve in curves if curve.id not in run.done("curve")]
        records = [record for record in run.records if record["kind"] == "curve"]
        columns = (TextColumn("{task.description:<28}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
        with Progress(*columns, console=Console(stderr=True), transient=True) as progress:
            task = progress.add_task("training", total=len(curves), completed=len(curves) - len(todo))
            for curve, fields in zip(todo, train_all(todo)):
                records.append(run.write("curve", curve.id, **fields))
                progress.update(task, advance=1, description=f"{curve.label}, seed {curve.seed}")
        run.end(curves=len(curves))
    Console().print(summary(records))
    return RIGHT


def rates(given: float | Sequence[float] | None) -> tuple[float | None, ...]:
    """The learning rates asked for; None stands for the one that each optimizer declares."""
    if given is None:
        return (None,)
    found = tuple(map(float, given)) if isinstance(given, Sequence) else (float(given),)
    if not found or not all(0.0 < lr < float("inf") for lr in found):
        raise UsageError(f"cannot use the learning rate {given}; it must be a positive number")
    return found


def chosen(items: Sequence[str]) -> list[str]:
    """The optimizers asked for, or those of the document; those that cannot train the network are left out, with a word.

    UsageError where none is left.
    """
    names = list(items) or sorted((name for name in OPTIMIZERS if OPTIMIZERS[name].document), key=str.lower)
    left_out = [name for name in names if "matrices" in OPTIMIZERS[name].tags]
    why = f"{', '.join(left_out)} left out: it takes matrices only, and the network of this experiment has biases"
    if left_out == names:
        raise UsageError(f"there is nothing to train: {why}")
    if left_out:
        Console(stderr=True).print(why, soft_wrap=True)
    return [name for name in names if name not in left_out]


def plan(names: Sequence[str], seeds: Sequence[int], steps: int, lrs: Sequence[float | None]) -> list[Curve]:
    """Every curve of the experiment, seed by seed, so that an interrupted run has whole comparisons."""
    kinds: list[tuple[str, dict[str, Any]]] = []
    for name in names:
        kinds += [(name, {}), *((name, options) for owner, options in VARIANTS if owner == name)]
    curves = []
    for seed in seeds:
        for name, options in kinds:
            for asked in lrs:
                lr = asked or OPTIMIZERS[name].document_lr or LR
                label = " ".join([name, *(f"{option} {value}" for option, value in options.items())])
                label += f" lr {lr:g}" if len(lrs) > 1 else ""
                curves.append(Curve(name, options, label, lr, seed, steps, keep_fit=seed == seeds[0]))
    return curves


def data_id(seed: int) -> str:
    return f"data-seed{seed}"


def describe_data(seed: int, keep_points: bool) -> Record:
    """What the pictures need of the data of a seed: the floors and, with ``keep_points``, the points themselves."""
    data = problem.draw(seed)
    fields: Record = {"seed": seed, "floor": data.floor, "fitted_floor": data.fitted_floor}
    return fields | ({"x": short(data.x), "y": short(data.y)} if keep_points else {})


def train_all(curves: Sequence[Curve]) -> Iterator[Record]:
    """The records of the curves in their order, made in as many processes as there are cores."""
    processes = min(cores(), len(curves) // WORTH_A_PROCESS)
    if processes < 2:
        with one_thread():
            yield from map(train, curves)
        return
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(processes, context, initializer=_start_worker) as pool:
        futures: list[Future[Record]] = [pool.submit(train, curve) for curve in curves]
        try:
            for future in futures:
                yield future.result()
        except BaseException:  # Ctrl-C above all: what has not begun never will, what runs is stopped
            pool.shutdown(wait=False, cancel_futures=True)
            for child in multiprocessing.active_children():
                child.terminate()
            raise


def cores() -> int:
    """The cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _start_worker() -> None:
    """One thread each; Ctrl-C is the parent's affair, and a worker does not outlive its parent."""
    torch.set_num_threads(1)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_die_with_parent, daemon=True).start()


def _die_with_parent() -> None:
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)


@contextmanager
def one_thread() -> Iterator[None]:
    """The network is too small for several threads, and one thread always adds in the same order."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)


def train(curve: Curve) -> Record:
    """Train one curve over all points at once; ``losses`` holds the loss before each step.

    Every optimizer gets its loss through a closure, as those that evaluate it several times a step need it. Optimizers
    tagged ``sparse`` take nothing but sparse gradients, so they are given the same gradients in that form.
    """
    sparse = "sparse" in OPTIMIZERS[curve.optimizer].tags
    data = problem.draw(curve.seed)
    network = problem.network(curve.seed)
    optimizer = operator.attrgetter(OPTIMIZERS[curve.optimizer].path.removeprefix("torch."))(torch)(
        network.parameters(), lr=curve.lr, **curve.options
    )
    calls = 0

    def closure() -> torch.Tensor:
        nonlocal calls
        calls += 1
        optimizer.zero_grad()
        loss = nn.functional.mse_loss(network(data.x), data.y)
        loss.backward()
        if sparse:
            for p in network.parameters():
                p.grad = None if p.grad is None else p.grad.to_sparse()
        return loss.detach()

    began = time.perf_counter()
    losses = [optimizer.step(closure) for _ in range(curve.steps)]
    seconds = time.perf_counter() - began
    record: Record = {
        "optimizer": curve.optimizer,
        "label": curve.label,
        "options": curve.options,
        "lr": curve.lr,
        "seed": curve.seed,
        "losses": short(torch.stack(losses)),
        "seconds": round(seconds, 3),
        "closure_calls": calls,
    }
    if curve.keep_fit:
        with torch.no_grad():
            x = torch.linspace(-1.0, 1.0, FITTED).unsqueeze(1)
            record |= {"fit_x": short(x), "fit_y": short(network(x))}
    return record


def short(values: torch.Tensor) -> list[float]:
    """Float32 numbers in the nine decimal digits that tell each from its neighbours."""
    return [float(f"{value:.9g}") for value in values.detach().flatten().tolist()]


def summary(records: Sequence[Record]) -> Table:
    """The last loss of every curve over its seeds, what it cost in evaluations (median) and in seconds (all seeds)."""
    table = Table(
        title="Mean squared error before the last step, over all seeds", title_justify="left", box=SIMPLE, padding=(0, 0)
    )
    for column in ("curve", "lr", "seeds", "median", "lowest", "highest", "evaluations", "seconds"):
        table.add_column(column, justify="left" if column == "curve" else "right", no_wrap=True)
    for label in dict.fromkeys(record["label"] for record in records):
        mine = [record for record in records if record["label"] == label]
        last = sorted(record["losses"][-1] for record in mine)
        calls = statistics.median(record["closure_calls"] for record in mine)
        seconds = sum(record["seconds"] for record in mine)
        numbers = (statistics.median(last), last[0], last[-1])
        table.add_row(
            label, f"{mine[0]['lr']:g}", str(len(mine)), *(f"{n:.5f}" for n in numbers), f"{calls:g}", f"{seconds:.1f}"
        )
    return table
