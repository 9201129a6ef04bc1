"""Kernels that torch makes faster as a whole: compiled ones, and CUDA graphs, whose calls cost one launch together."""

from __future__ import annotations

import contextlib
import logging
import time
import warnings
from collections.abc import Callable, Iterator
from typing import Any

from benchkit.cpu_time import fresh_compiler

FIRST_CALLS = 3  # a step makes its state in the first call, and what was compiled without one is compiled again
WARM_UP_CALLS = 3  # before a capture: libraries find their algorithms and memory


@contextlib.contextmanager
def alone() -> Iterator[None]:
    """The compiler in this process, from scratch: nothing that it kept from earlier runs shortens the time it takes.

    C++ of equal text that a compiler has met before is not translated again; torch keeps that in a folder of its own.
    """
    import torch._functorch.config
    import torch._inductor.config

    logging.getLogger("torch").setLevel(logging.ERROR)  # it warns of its own profiler hooks
    with (
        warnings.catch_warnings(),
        torch._inductor.config.patch(compile_threads=1, fx_graph_cache=False),
        torch._functorch.config.patch(enable_autograd_cache=False),
    ):
        warnings.simplefilter("ignore")  # what torch says of its own code
        yield


def compiled(function: Callable[..., Any], call: Callable[[Callable[..., Any]], Any]) -> tuple[Callable[..., Any], float]:
    """The function under torch.compile, and the seconds until ``call(function)`` no longer meets the compiler.

    RuntimeError, with the compiler's words, where it fails or finds nothing to compile.
    """
    import torch

    fresh_compiler()
    begun = time.perf_counter()
    try:
        with alone():
            fast = torch.compile(function)
            for _ in range(FIRST_CALLS):
                call(fast)
    except Exception as error:  # whatever the compiler raises
        raise RuntimeError(f"torch.compile fails: {type(error).__name__}: {first_line(error)}") from error
    taken = time.perf_counter() - begun
    if not torch._dynamo.utils.counters["stats"]["unique_graphs"]:
        raise RuntimeError("torch.compile finds nothing to compile here")
    return fast, taken


def graph(run: Callable[[], Any], device: str) -> Callable[[], Any]:
    """The replay of one run captured as a CUDA graph; RuntimeError where the device has none or refuses."""
    import torch

    module: Any = getattr(torch, device, None)
    if not hasattr(module, "CUDAGraph"):
        raise RuntimeError(f"{device} has no graphs to capture")
    try:
        return _captured(run, module)
    except Exception as error:  # a step that is not capturable, a wait for the device in the midst
        raise RuntimeError(f"cannot be captured as a graph: {type(error).__name__}: {first_line(error)}") from error


def _captured(run: Callable[[], Any], module: Any) -> Callable[[], Any]:
    beside = module.Stream()
    beside.wait_stream(module.current_stream())
    with module.stream(beside):
        for _ in range(WARM_UP_CALLS):
            run()
    module.current_stream().wait_stream(beside)
    captured = module.CUDAGraph()
    with module.graph(captured):
        kept = run()  # the results lie in the memory of the graph

    def replay() -> Any:
        captured.replay()
        return kept

    return replay


def first_line(error: BaseException) -> str:
    """What an exception says, its first line."""
    return (str(error).strip() or "no message").splitlines()[0][:200]
