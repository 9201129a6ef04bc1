"""Shards: pieces of work that are named by a hash of what they compute, and the files that hold what came out.

A finished shard is one compressed file in a folder, which came there by being renamed, so that it is whole or not there.
Runs that want the same shard find it there: an interrupted run goes on, a longer one adds to it, and two at a time share.
"""

from __future__ import annotations

import ast
import functools
import hashlib
import importlib
import inspect
import json
import os
import platform
import sys
import tempfile
import time
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from optimbench.convergence import contenders, engine
from optimbench.convergence.problem import PROBLEMS
from optimbench.convergence.trajectory import Contender, Setting

Arrays = dict[str, NDArray[Any]]


@dataclass(frozen=True)
class Shard:
    """The training of one contender on one problem: every setting on every seed, a setting's seeds one after another."""

    problem: str
    contender: Contender
    settings: tuple[Setting, ...]
    seeds: tuple[int, ...]
    steps: int
    path: str
    device: str

    @functools.cached_property
    def id(self) -> str:
        """The name: a hash of all that decides what comes out, the source of the computation and torch's version included."""
        what = {**asdict(self), "torch": torch.__version__, "source": fingerprint(self.problem, self.contender)}
        text = json.dumps(what, sort_keys=True, default=str)
        return hashlib.sha256(text.encode()).hexdigest()[:24]

    @property
    def runs(self) -> int:
        """How many training runs it holds."""
        return len(self.settings) * len(self.seeds)


@functools.cache
def text(module: str) -> str:
    """The source text of a module."""
    return inspect.getsource(importlib.import_module(module))


@functools.cache
def sources(*modules: str) -> tuple[str, ...]:
    """The modules and all of this package that they import, directly or not: what decides how something is computed."""
    found: list[str] = []
    waiting = list(modules)
    while waiting:
        if (module := waiting.pop()) in found:
            continue
        found.append(module)
        for node in ast.walk(ast.parse(text(module))):
            if isinstance(node, ast.ImportFrom) and f"{node.module}.".startswith(f"{__package__}."):
                values = [getattr(importlib.import_module(str(node.module)), alias.name) for alias in node.names]
                waiting += [value.__name__ if inspect.ismodule(value) else str(node.module) for value in values]
    return tuple(sorted(found))


def fingerprint(problem_name: str, contender: Contender) -> str:
    """A digest of the source that computes a shard; a user's optimizer counts by the file that it is written in."""
    digest = hashlib.sha256()
    bases = {base.__module__ for base in type(PROBLEMS[problem_name]).__mro__ if base is not object}
    for module in sources(engine.__name__, *bases):
        digest.update(hashlib.sha256(text(module).encode()).digest())
    if contenders.declared(contender) is None:
        made = contenders.constructor(contender)
        module = str(getattr(made, "__module__", None))
        try:
            digest.update(text(module).encode())
        except (OSError, TypeError, ImportError):  # no source: the name and the version must do
            digest.update(str(getattr(sys.modules.get(module.partition(".")[0]), "__version__", "")).encode())
    return digest.hexdigest()


@dataclass(frozen=True)
class Finished:
    """What came out of a shard: the arrays of ``engine.Trained``, what it took in seconds, and where."""

    arrays: Arrays
    cpu_seconds: float
    seconds: float
    worker: str


class Failed(Exception):
    """A shard could not be trained; the message says why."""


def compute(shard: Shard, id: str) -> Finished:
    """Train a shard; the work of a process of the pool or of a worker of the cluster.

    One thread, so that sums keep their order. Failed where the optimizer raises, and where this worker would compute something
    else than ``id`` names, since it has another torch or another version of this package.
    """
    import optimbench.convergence.problems  # noqa: F401  a worker begins with nothing declared

    if replace(shard).id != id:
        raise Failed(f"worker {worker()} has another torch or other sources than the run that it works for")
    torch.set_num_threads(1)
    began = time.perf_counter()
    try:
        trained = engine.train(
            PROBLEMS[shard.problem], shard.contender, shard.settings, shard.seeds, shard.steps, shard.path, shard.device
        )
    except Exception as error:  # the class may be anybody's
        raise Failed(f"{type(error).__name__}: {error}") from error
    arrays: Arrays = {"steps": trained.steps, "losses": trained.losses, "evaluations": trained.evaluations}
    for name in ("iterates", "parameters"):
        if (array := getattr(trained, name)) is not None:
            arrays[name] = array
    return Finished(arrays, trained.seconds, time.perf_counter() - began, worker())


def worker() -> str:
    """This process, by machine and number."""
    return f"{platform.node()}:{os.getpid()}"


class Store:
    """A folder of finished shards."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def path(self, id: str) -> Path:
        return self.folder / f"{id}.npz"

    def has(self, id: str) -> bool:
        return self.path(id).exists()

    def save(self, id: str, finished: Finished) -> None:
        """Write a shard; a reader sees all of it or nothing."""
        self.folder.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(dir=self.folder, prefix=".", suffix=".npz")
        try:
            with os.fdopen(handle, "wb") as file:
                times = {"seconds": np.array([finished.cpu_seconds, finished.seconds])}
                np.savez_compressed(file, allow_pickle=False, **finished.arrays, **times)
            os.replace(name, self.path(id))
        except BaseException:
            Path(name).unlink(missing_ok=True)
            raise

    def load(self, id: str) -> Arrays:
        """The arrays of a shard."""
        with np.load(self.path(id), allow_pickle=False) as file:
            return {name: file[name] for name in file.files}
