"""The life of an optimizer: what happens to it between its first and its last step, one scenario for each property."""

from optimbench.life import extras, gradients, graph, options, steps, storage
from optimbench.life.cases import SCENARIOS, LifeCase, cases
from optimbench.life.run import checks, reproducer, run_case

__all__ = [
    "SCENARIOS", "LifeCase", "cases", "checks", "extras", "gradients", "graph", "options", "reproducer", "run_case", "steps",
    "storage",
]  # fmt: skip
