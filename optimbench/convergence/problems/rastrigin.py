"""Rastrigin's function: a bowl with a lattice of local minima."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import torch

from optimbench.convergence.problem import declare
from optimbench.convergence.problems.plane import Plane


def cosine(x: Any) -> Any:
    return torch.cos(x) if isinstance(x, torch.Tensor) else np.cos(x)


def sine(x: Any) -> Any:
    return torch.sin(x) if isinstance(x, torch.Tensor) else np.sin(x)


class Rastrigin(Plane):
    """f = 20 + x² - 10 cos(2 π x) + y² - 10 cos(2 π y), least at the origin."""

    name = "rastrigin"
    title = "Rastrigin's function, 20 + x² - 10 cos 2πx + y² - 10 cos 2πy"
    source = "Rastrigin, Systems of extremal control, 1974; Mühlenbein et al., 1991"
    starts = ((-5.12, 5.12), (-5.12, 5.12))
    plane = ((-5.3, 5.3), (-5.3, 5.3))

    def value(self, x: Any, y: Any) -> Any:
        turn = 2.0 * math.pi
        return 20.0 + x**2 - 10.0 * cosine(turn * x) + y**2 - 10.0 * cosine(turn * y)

    def slope(self, x: Any, y: Any) -> tuple[Any, Any]:
        turn = 2.0 * math.pi
        return tuple(2.0 * one + 10.0 * turn * sine(turn * one) for one in (x, y))


declare(Rastrigin())
