"""Who does the work: this process, a pool of processes, or a cluster; all of them executors of the standard library."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from concurrent.futures import Executor, Future
from concurrent.futures.process import BrokenProcessPool
from typing import Any

from benchkit import workers
from benchkit.request import UsageError

CONNECT_SECONDS = 20


class Here(Executor):
    """Work done at once, in this process: for little work, where processes would cost more to start."""

    def submit(self, function: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        future: Future[Any] = Future()
        try:
            future.set_result(function(*args, **kwargs))
        except Exception as error:
            future.set_exception(error)
        return future


@contextlib.contextmanager
def executor(scheduler: str | None, device: str, little: bool) -> Iterator[Executor]:
    """The cluster behind the address of a dask scheduler; else a process for each core, one for a GPU, none for little work."""
    if scheduler is not None:
        with _cluster(scheduler) as cluster:
            yield cluster
    elif little or (device == "cpu" and workers.cores() == 1):
        yield Here()
    else:
        with workers.pool(workers.cores() if device == "cpu" else 1) as pool:
            try:
                yield pool
            except BrokenProcessPool:
                raise UsageError(
                    "a process that trained was killed, perhaps for want of memory; go on from what was finished with --resume"
                ) from None


@contextlib.contextmanager
def _cluster(address: str) -> Iterator[Executor]:
    try:
        from distributed import Client
    except ImportError:
        raise UsageError(
            f"--scheduler {address} needs the package distributed; install it with python -m pip install 'lossbench[cluster]'"
        ) from None
    try:
        client = Client(address, timeout=CONNECT_SECONDS, set_as_default=False)
    except (OSError, TimeoutError, ValueError) as error:
        why = str(error).strip().splitlines() or [type(error).__name__]
        raise UsageError(
            f"cannot reach a dask scheduler at --scheduler {address}: {why[0]}; it must be the address of one that runs, "
            "such as tcp://127.0.0.1:8786"
        ) from None
    with client:
        yield client.get_executor(pure=False)
