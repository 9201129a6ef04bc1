"""The function of Styblinski and Tang: four valleys, one of which is deepest."""

from __future__ import annotations

from typing import Any

from optimbench.convergence.problem import declare
from optimbench.convergence.problems.plane import Plane

BEST = -2.903534027771178  # the least root of the derivative, 4 t³ - 32 t + 5


def term(t: Any) -> Any:
    return 0.5 * (t**4 - 16.0 * t**2 + 5.0 * t)


LEAST = 2.0 * term(BEST)  # -78.33233140754282


class StyblinskiTang(Plane):
    """f = ½ (x⁴ - 16 x² + 5 x + y⁴ - 16 y² + 5 y) above its least value, -78.3323, which it takes at x = y = -2.9035."""

    name = "styblinski-tang"
    title = "Styblinski and Tang's function above its minimum, ½ (x⁴ - 16x² + 5x + y⁴ - 16y² + 5y) + 78.3323"
    objective = "f(x, y) - min f (dimensionless)"
    source = "Styblinski and Tang, Experiments in nonconvex optimization, 1990"
    minimiser = (BEST, BEST)
    starts = ((-5.0, 5.0), (-5.0, 5.0))
    plane = ((-5.2, 5.2), (-5.2, 5.2))

    def value(self, x: Any, y: Any) -> Any:
        return term(x) + term(y) - LEAST

    def slope(self, x: Any, y: Any) -> tuple[Any, Any]:
        return 2.0 * x**3 - 16.0 * x + 2.5, 2.0 * y**3 - 16.0 * y + 2.5


declare(StyblinskiTang())
