"""Worker processes that end with the run that they work for."""

from __future__ import annotations

import contextlib
import multiprocessing
import multiprocessing.forkserver
import os
import threading
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor


def cores() -> int:
    """The cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def count() -> int:
    """How many worker processes: one for each core, and no more than four, since their memory is torch's."""
    return min(cores(), 4)


def warm_up(module: str) -> None:
    """Begin to import torch and a module where workers are forked from, so that they have them when they start.

    What is imported there must not start threads or a device; torch's import does neither, nor that of its compiler's front,
    which every step of an optimizer asks for.
    """
    multiprocessing.get_context("forkserver").set_forkserver_preload(["torch", module, "torch._dynamo"])
    multiprocessing.forkserver.ensure_running()


def end_with_parent() -> None:
    """In a worker: end at once when the process that made it is gone, however that ended."""
    parent = multiprocessing.parent_process()

    def wait() -> None:
        if parent is not None:
            parent.join()
            os._exit(1)

    threading.Thread(target=wait, daemon=True).start()


@contextlib.contextmanager
def pool(processes: int) -> Iterator[ProcessPoolExecutor]:
    """Worker processes. After Ctrl-C what has not begun is not begun; what has begun may take minutes, and is stopped."""
    before = set(multiprocessing.active_children())
    made = ProcessPoolExecutor(processes, multiprocessing.get_context("forkserver"), initializer=end_with_parent)
    try:
        yield made
    except (KeyboardInterrupt, GeneratorExit):
        for worker in set(multiprocessing.active_children()) - before:
            worker.terminate()
        raise
    finally:
        made.shutdown(cancel_futures=True)
