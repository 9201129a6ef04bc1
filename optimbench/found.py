"""One judged array of an optimizer's run."""

from __future__ import annotations

from dataclasses import dataclass, replace

from benchkit.judge import Comparison
from optimbench.subject import Segment


@dataclass
class Found:
    """One array judged: what it is, where its worst element lies, the first step that fails, and the check it belongs to.

    ``expression`` is Python text that stands for the array at the end of a script of the run, or, where the difference is none
    of numbers, for True once it is gone. ``lines`` is how much of a written run leads up to it.
    """

    comparison: Comparison
    name: str = ""
    segment: Segment | None = None
    element: tuple[int, ...] = ()
    check: str = "lockstep"
    expression: str = ""
    lines: int = 0

    def sentence(self) -> str:
        if self.segment is None:
            return self.comparison.sentence(self.name)
        place = f"step {self.segment.step + 1}, parameter {self.segment.parameter}, {self.name}"
        return replace(self.comparison, where=self.element).sentence(place)
