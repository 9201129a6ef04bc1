"""The whole job of one side: its commands one after another, then the pages from all results that lie in the folder."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import replace

from rich.console import Console

from benchkit.attribute import load
from benchkit.request import RIGHT, Request

ON_EVERY_DEVICE = ("verify", "time")
RESUMABLE = ("verify", "time", "converge")  # the others take seconds and are made anew
SAY = {0: "all right", 1: "a discrepancy"}


def run(request: Request, stages: Mapping[str, str]) -> int:
    """Run the stages, ``{command: "module:function"}``, and render the site; a discrepancy does not stop the next stage.

    Returns the worst exit status. Wrong usage, such as a results file of another run, stops at once.
    """
    console = Console(stderr=True)
    worst = RIGHT
    for command, function in stages.items():
        console.rule(f"{request.suite} {command}")
        started = time.monotonic()
        status = load(function)(
            replace(
                request,
                command=command,
                devices=request.devices if command in ON_EVERY_DEVICE else ("cpu",),
                json=None,
                resume=request.resume and command in RESUMABLE,
                begun=time.time(),
            )
        )
        console.print(f"{request.suite} {command}: {SAY.get(status, status)}, {time.monotonic() - started:.0f} s")
        worst = max(worst, status)
    load("benchkit.site:render")(request.reports)
    console.rule()
    Console(soft_wrap=True).print(f"The report: {(request.reports / 'index.html').resolve()}", highlight=False)
    return worst
