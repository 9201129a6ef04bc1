"""Beale's function: flat, with steep walls in the corners."""

from __future__ import annotations

from typing import Any

from optimbench.convergence.problem import declare
from optimbench.convergence.problems.plane import Plane


class Beale(Plane):
    """f = (1.5 - x + x y)² + (2.25 - x + x y²)² + (2.625 - x + x y³)², least at (3, 0.5)."""

    name = "beale"
    title = "Beale's function, (1.5 - x + xy)² + (2.25 - x + xy²)² + (2.625 - x + xy³)²"
    source = "Beale, On an iterative method for finding a local minimum of a function of more than one variable, 1958"
    minimiser = (3.0, 0.5)
    starts = ((-4.5, 4.5), (-4.5, 4.5))
    plane = ((-4.7, 4.7), (-4.7, 4.7))

    def value(self, x: Any, y: Any) -> Any:
        return (1.5 - x + x * y) ** 2 + (2.25 - x + x * y**2) ** 2 + (2.625 - x + x * y**3) ** 2

    def slope(self, x: Any, y: Any) -> tuple[Any, Any]:
        a, b, c = 1.5 - x + x * y, 2.25 - x + x * y**2, 2.625 - x + x * y**3
        by_x = 2.0 * (a * (y - 1.0) + b * (y**2 - 1.0) + c * (y**3 - 1.0))
        by_y = 2.0 * x * (a + 2.0 * b * y + 3.0 * c * y**2)
        return by_x, by_y


declare(Beale())
