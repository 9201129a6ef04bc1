"""A campaign: everything that a call of ``converge`` asks for, cut into shards, done by an executor, written down.

First every contender is probed on every problem, which tells the path that its replicas can share. Then shards are made for
the entries of the studies (a contender at one setting on all reported seeds) and for the tunings, of which the entries of the
protocol ``tuned`` follow. What takes longest begins first. Shards whose files are there are not done again.
"""

from __future__ import annotations

import heapq
import itertools
from collections.abc import Callable, Sequence
from concurrent.futures import FIRST_COMPLETED, Executor, Future, wait
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from benchkit.results import Record, Run
from optimbench.convergence import contenders, preparation, protocols, shards
from optimbench.convergence.preparation import Prepared
from optimbench.convergence.problem import PROBLEMS
from optimbench.convergence.protocols import Sweep
from optimbench.convergence.replicas import ALONE, PATHS, VIEWS
from optimbench.convergence.shards import Finished, Shard, Store
from optimbench.convergence.trajectory import Contender, Setting

RUNS_ALONE = 4  # training runs in a shard where each is trained alone
VIEWS_TOGETHER = 64  # replicas in a shard where the optimizer holds leaves for each
AHEAD = 512  # shards that are handed to the executor before their turn


@dataclass(frozen=True)
class Plan:
    """What was asked for. ``steps`` is the budget of each problem where it is not its own; ``lrs`` are those of ``same``."""

    problems: tuple[str, ...]
    contenders: tuple[Contender, ...]
    protocols: tuple[str, ...]
    seeds: tuple[int, ...]
    steps: int | None = None
    lrs: tuple[float, ...] = ()
    grid: Sweep | None = None
    second: Sweep | None = None
    device: str = "cpu"

    def budget(self, problem: str) -> int:
        return self.steps or PROBLEMS[problem].steps


@dataclass
class Group:
    """Shards that are wanted together, and what follows when all are there."""

    waiting: set[str]
    then: Callable[[], None]
    failed: Callable[[str], None]


@dataclass
class Campaign:
    """A plan being carried out. ``told`` is called with the runs that came to be done, and what they are."""

    plan: Plan
    run: Run
    store: Store
    executor: Executor
    told: Callable[[int, str], None]
    failures: list[str] = field(default_factory=list)
    groups: dict[str, list[Group]] = field(default_factory=dict)
    queue: list[tuple[tuple[int, ...], Shard]] = field(default_factory=list)
    underway: dict[Future[Finished], Shard] = field(default_factory=dict)
    numbers: Any = field(default_factory=itertools.count)

    def carry_out(self) -> dict[tuple[str, str], Prepared]:
        """Do all of it; returns what was found out of each contender on each problem, by problem and label."""
        prepared = self.prepare()
        for problem in self.plan.problems:
            for contender in self.plan.contenders:
                found = prepared[problem, contender.label]
                if found.path:
                    self.enter(problem, contender, found)
        self.work()
        for problem in self.plan.problems:
            for protocol in self.plan.protocols:
                self.describe(problem, protocol)
        return prepared

    # Probes.

    def prepare(self) -> dict[tuple[str, str], Prepared]:
        """The path and the pace of every contender on every problem; those that cannot train it are left out, with a word."""
        known = {record["id"]: record for record in self.run.records if record["kind"] == "prepared"}
        asked: dict[Any, Future[Prepared]] = {}
        found: dict[tuple[str, str], Prepared] = {}
        for problem, contender in itertools.product(self.plan.problems, self.plan.contenders):
            key = problem, contender.label
            if record := known.get("/".join(key)):
                found[key] = Prepared(
                    record["path"], record["why"], record["step_seconds"], record.get("evaluation_seconds", float("nan"))
                )
            else:
                rate = contenders.default_lr(contender) or PROBLEMS[problem].learning_rate
                asked[key] = self.executor.submit(preparation.prepare, problem, contender, {"lr": rate})
        for key, future in asked.items():
            found[key] = future.result()
            self.run.write("prepared", "/".join(key), problem=key[0], label=key[1], **vars(found[key]))
            self.told(0, f"looking at {key[1]}")
        return found

    # What is wanted.

    def enter(self, problem: str, contender: Contender, prepared: Prepared) -> None:
        """Want what each protocol asks of a contender on a problem."""
        lrs = self.plan.lrs or (PROBLEMS[problem].learning_rate,)
        for protocol in self.plan.protocols:
            if protocol == "same":
                for lr in lrs:
                    label = contender.label + (f", lr {lr:g}" if len(lrs) > 1 else "")
                    self.want_entry(problem, protocol, replace(contender, label=label), {"lr": lr}, prepared)
            elif protocol == "default":
                if (rate := contenders.default_lr(contender)) is not None:
                    self.want_entry(problem, protocol, contender, {"lr": rate}, prepared)
                else:
                    self.told(0, f"{contender.label} has no default learning rate")
            else:
                self.want_tuning(problem, contender, prepared)

    def want_entry(self, problem: str, protocol: str, contender: Contender, setting: Setting, prepared: Prepared) -> None:
        """Want a contender at a setting on all reported seeds."""
        id = f"{problem}/{protocol}/{contender.label}"
        if id in self.run.done("entry"):
            return
        wanted = self.cut(problem, contender, (setting,), self.plan.seeds, prepared.path)

        def then() -> None:
            self.run.write(
                "entry",
                id,
                problem=problem,
                protocol=protocol,
                name=contender.name,
                label=contender.label,
                options=dict(contender.options),
                setting=dict(setting),
                seeds=self.plan.seeds,
                shards=[shard.id for shard in wanted],
                path=prepared.path,
                step_seconds=prepared.step_seconds,
                evaluation_seconds=prepared.evaluation_seconds,
            )

        self.want(wanted, id, then)

    def want_tuning(self, problem: str, contender: Contender, prepared: Prepared) -> None:
        """Want the grid on the tuning seeds, and then the entry at the best of it."""
        id = f"{problem}/{contender.label}"
        for record in self.run.records:
            if record["kind"] == "tuning" and record["id"] == id:
                best = record["settings"][record["chosen"]]
                self.want_entry(problem, "tuned", contender, best, prepared)
                return
        settings = protocols.grid(contender, self.plan.grid, self.plan.second)
        seeds = protocols.tuning_seeds(self.plan.seeds, PROBLEMS[problem].tuning_seeds)
        wanted = self.cut(problem, contender, settings, seeds, prepared.path)

        def then() -> None:
            finals = np.full((len(settings), len(seeds)), np.nan)
            for shard in wanted:
                rows = [settings.index(setting) for setting in shard.settings]
                columns = [seeds.index(seed) for seed in shard.seeds]
                last = self.store.load(shard.id)["losses"][:, -1]
                finals[np.ix_(rows, columns)] = last.reshape(len(rows), len(columns))
            tuning = protocols.tuned(settings, finals)
            self.run.write(
                "tuning",
                id,
                problem=problem,
                label=contender.label,
                settings=[dict(setting) for setting in settings],
                finals=finals,
                chosen=tuning.chosen,
                runs=tuning.runs,
                seeds=seeds,
                shards=[shard.id for shard in wanted],
            )
            self.want_entry(problem, "tuned", contender, settings[tuning.chosen], prepared)

        self.want(wanted, f"{problem}/tuned/{contender.label}", then)

    def cut(
        self, problem: str, contender: Contender, settings: Sequence[Setting], seeds: Sequence[int], path: str
    ) -> list[Shard]:
        """The shards of some settings on some seeds. How they are cut depends on nothing but what is trained, so that other
        runs find the same ones."""
        block = RUNS_ALONE if path in ALONE else PROBLEMS[problem].block
        block = min(block, VIEWS_TOGETHER) if path == VIEWS else block
        few = [tuple(seeds[at : at + block]) for at in range(0, len(seeds), block)]
        several = max(1, block // len(seeds)) if path not in ALONE else 1
        parts = [tuple(settings[at : at + several]) for at in range(0, len(settings), several)]
        bare = replace(contender, label=contender.name)  # what a curve is called does not change what is computed
        return [
            Shard(problem, bare, part, some, self.plan.budget(problem), path, self.plan.device)
            for part in parts
            for some in few
        ]

    def want(self, wanted: Sequence[Shard], what: str, then: Callable[[], None]) -> None:
        """See that the shards come to be, and call ``then`` when all are there."""
        missing = {shard.id: shard for shard in wanted if not self.store.has(shard.id)}
        self.told(sum(shard.runs for shard in wanted if shard.id not in missing), what)
        if not missing:
            then()
            return

        def failed(why: str) -> None:
            message = f"{what} could not be trained: {why}"
            if message not in self.failures:
                self.failures.append(message)
                self.run.write("failure", what, message=message)

        group = Group(set(missing), then, failed)
        for id, shard in missing.items():
            if id not in self.groups:
                rank = (PATHS[::-1].index(shard.path), len(shard.settings) == 1, next(self.numbers))
                heapq.heappush(self.queue, (rank, shard))
            self.groups.setdefault(id, []).append(group)

    # The work.

    def work(self) -> None:
        """Hand out shards and take them in until none is wanted any more."""
        while self.queue or self.underway:
            while self.queue and len(self.underway) < AHEAD:
                shard = heapq.heappop(self.queue)[1]
                if self.store.has(shard.id):  # another run was faster
                    self.arrived(shard)
                else:
                    self.underway[self.executor.submit(shards.compute, shard, shard.id)] = shard
            done = wait(self.underway, return_when=FIRST_COMPLETED).done if self.underway else set()
            for future in [future for future in self.underway if future in done]:  # in the order of the shards
                self.take(self.underway.pop(future), future)

    def take(self, shard: Shard, future: Future[Finished]) -> None:
        """Keep what came out of a shard; one that failed takes along the entries that need it."""
        try:
            finished = future.result()
        except shards.Failed as error:
            for group in self.groups.pop(shard.id):
                group.failed(str(error))
            return
        if shard.id not in self.run.done("shard"):  # before the file: a run that ends between the two does the shard again
            self.run.write("shard", shard.id, **described(shard, finished))
        self.store.save(shard.id, finished)
        self.arrived(shard)

    def arrived(self, shard: Shard) -> None:
        groups = self.groups.pop(shard.id)
        self.told(shard.runs * len(groups), f"{shard.problem}, {shard.contender.name}")
        for group in groups:
            group.waiting.discard(shard.id)
            if not group.waiting:
                group.then()

    # What the studies are.

    def describe(self, problem: str, protocol: str) -> None:
        """Write down what the entries of a problem under a protocol have in common."""
        id = f"{problem}/{protocol}"
        if id in self.run.done("study"):
            return
        declared = PROBLEMS[problem]
        self.run.write(
            "study",
            id,
            problem=problem,
            protocol=protocol,
            title=declared.title,
            objective=declared.objective,
            target=declared.target,
            steps=self.plan.budget(problem),
            plane=declared.plane,
            floor=[declared.floor(seed) for seed in self.plan.seeds],
            optimum=declared.optimum(self.plan.seeds[0]) is not None,
        )


def described(shard: Shard, finished: Finished) -> Record:
    """What the results file says of a shard."""
    return {
        "problem": shard.problem,
        "name": shard.contender.name,
        "options": dict(shard.contender.options),
        "settings": [dict(setting) for setting in shard.settings],
        "seeds": shard.seeds,
        "steps": shard.steps,
        "path": shard.path,
        "runs": shard.runs,
        "cpu_seconds": finished.cpu_seconds,
        "seconds": finished.seconds,
        "bytes": sum(array.nbytes for array in finished.arrays.values()),
        "worker": finished.worker,
    }
