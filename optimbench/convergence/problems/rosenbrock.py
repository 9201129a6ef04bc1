"""Rosenbrock's curved valley."""

from __future__ import annotations

from typing import Any

from optimbench.convergence.problem import declare
from optimbench.convergence.problems.plane import Plane


class Rosenbrock(Plane):
    """f = (1 - x)² + 100 (y - x²)², least at (1, 1)."""

    name = "rosenbrock"
    title = "Rosenbrock's function, (1 - x)² + 100 (y - x²)²"
    source = "Rosenbrock, An automatic method for finding the greatest or least value of a function, 1960"
    minimiser = (1.0, 1.0)
    starts = ((-2.0, 2.0), (-1.0, 3.0))
    plane = ((-2.2, 2.2), (-1.2, 3.2))

    def value(self, x: Any, y: Any) -> Any:
        return (1.0 - x) ** 2 + 100.0 * (y - x**2) ** 2

    def slope(self, x: Any, y: Any) -> tuple[Any, Any]:
        return -2.0 * (1.0 - x) - 400.0 * x * (y - x**2), 200.0 * (y - x**2)


declare(Rosenbrock())
