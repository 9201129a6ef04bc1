"""What the functions of two variables have in common: one parameter, the point, that starts anywhere in the usual domain."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch

from optimbench.convergence.problem import Arrays, Problem, Tensors, stream


class Plane(Problem):
    """A function of the plane, minimised without noise; ``minimiser`` is where it takes its least value, which is 0."""

    objective = "f(x, y) (dimensionless)"
    steps = 1000
    block = 256
    target = 1e-6
    minimiser: tuple[float, float] = (0.0, 0.0)
    starts: tuple[tuple[float, float], tuple[float, float]] = ((-1.0, 1.0), (-1.0, 1.0))  # of x, of y

    def start(self, seed: int) -> Arrays:
        lows, highs = zip(*self.starts)
        return {"point": stream(self.name, "start", seed).uniform(lows, highs)}

    def losses(self, parameters: Tensors, data: Tensors) -> torch.Tensor:
        x, y = parameters["point"].unbind(1)
        return self.value(x, y)

    def differentiate(self, parameters: Tensors, data: Tensors) -> tuple[torch.Tensor, Tensors]:
        with torch.no_grad():
            x, y = parameters["point"].unbind(1)
            return self.value(x, y), {"point": torch.stack(self.slope(x, y), 1)}

    def gradient(self, parameters: Arrays, data: Arrays) -> tuple[float, Arrays]:
        x, y = parameters["point"]
        return float(self.value(x, y)), {"point": np.array(self.slope(x, y))}

    def floor(self, seed: int) -> float:
        return 0.0

    def optimum(self, seed: int) -> Arrays | None:
        return {"point": np.array(self.minimiser)}

    def value(self, x: Any, y: Any) -> Any:
        """The function of numbers or of tensors."""
        raise NotImplementedError

    def slope(self, x: Any, y: Any) -> tuple[Any, Any]:
        """Its derivatives by x and by y."""
        raise NotImplementedError
