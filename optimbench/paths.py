"""The implementation paths of an optimizer: how each is asked for, and which of them is compiled.

The for-loop is what remains when both faster paths are declined; ``default`` asks for nothing. Compiled paths put
torch.compile around the step; there the capturable arithmetic runs on the CPU too, which otherwise refuses it.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from benchkit.cpu_time import fresh_compiler

LOOP = {"foreach": False, "fused": False}


@dataclass(frozen=True)
class Path:
    """The switches that the constructor gets, and the backend of torch.compile, empty where the step is not compiled."""

    switches: Mapping[str, bool] = field(default_factory=dict)
    backend: str = ""


PATHS = {
    "forloop": Path(LOOP),
    "foreach": Path({"foreach": True}),
    "fused": Path({"fused": True}),
    "default": Path(),
    "differentiable": Path({**LOOP, "differentiable": True}),
    "capturable": Path({**LOOP, "capturable": True}),
    "compiled": Path(LOOP, "aot_eager"),
    "compiled_foreach": Path({"foreach": True}, "aot_eager"),
    "compiled_fused": Path({"fused": True}, "aot_eager"),
    "compiled_capturable": Path({**LOOP, "capturable": True}, "aot_eager"),
    "compiled_foreach_capturable": Path({"foreach": True, "capturable": True}, "aot_eager"),
    "inductor": Path(LOOP, "inductor"),
    "inductor_foreach": Path({"foreach": True}, "inductor"),
}


def needed(path: str) -> set[str]:
    """The switches without which there is no such path."""
    return {name for name, on in PATHS[path].switches.items() if on}


def compiled(step: Callable[[], Any], backend: str) -> Callable[[], Any]:
    """The step under torch.compile, free of what was compiled before.

    NotImplementedError where there is nothing to compile, or no compiler to do it.
    """
    import torch
    import torch._inductor.config

    logging.getLogger("torch").setLevel(logging.ERROR)  # it warns of its own profiler hooks
    fresh_compiler()
    fast = torch.compile(step, backend=backend)

    def run() -> Any:
        try:
            with torch._inductor.config.patch(compile_threads=1):  # worker processes of its own cost more than they save
                answer = fast()
        except Exception as error:
            if "C++ compiler" in str(error):
                raise NotImplementedError("torch.compile finds no working C++ compiler") from error
            raise
        if not torch._dynamo.utils.counters["stats"]["unique_graphs"]:
            raise NotImplementedError("torch.compile finds nothing to compile in the step")
        return answer

    return run
