"""The document's LeNet, for images of 32 by 32, on real digits."""

from __future__ import annotations

import numpy as np
import torch
from torch.nn import functional

from optimbench.convergence.problem import Arrays, Problem, Tensors, declare, stream, uniform_by_fan_in
from optimbench.convergence.problems.digits import CLASSES, cross_entropy, digits

SIDE, EXAMPLES = 32, 256
LAYERS = {  # weights and fan-in
    "conv1": ((6, 1, 5, 5), 25),
    "conv2": ((16, 6, 5, 5), 150),
    "fc1": ((120, 400), 400),
    "fc2": ((84, 120), 120),
    "fc3": ((CLASSES, 84), 84),
}


class LeNet(Problem):
    """Convolution 1-6-5, ReLU, max pooling, convolution 6-16-5, ReLU, max pooling, 400-120-84-10 with ReLU; cross entropy."""

    name = "lenet"
    title = "The document's LeNet on 256 digits of 32 by 32, 16 in a step"
    objective = "mean cross entropy (nat)"
    source = "the document, chapter 3; LeCun et al., 1998; digits of scikit-learn"
    dtype = "float32"
    steps = 64
    every = 16
    batch = 16
    examples = EXAMPLES
    per_example = ("image", "label")
    block = 4
    tuning_seeds = 2
    target = 1.0
    needs = "sklearn"

    def shared(self) -> Arrays:
        found = digits(SIDE, EXAMPLES)
        return {"image": found["image"][:, None], "label": found["label"]}

    def start(self, seed: int) -> Arrays:
        rng = stream(self.name, "start", seed)
        found = {}
        for name, (shape, fan_in) in LAYERS.items():
            found[f"{name}.weight"] = uniform_by_fan_in(rng, shape, fan_in)
            found[f"{name}.bias"] = uniform_by_fan_in(rng, shape[:1], fan_in)
        return found

    def losses(self, parameters: Tensors, data: Tensors) -> torch.Tensor:
        replicas = len(parameters["fc1.bias"])
        label = data["label"].expand(replicas, -1)
        image = data["image"].expand(replicas, -1, -1, -1, -1)
        h = convolved(parameters, image, together=image.device.type != "cpu")
        for name in ("fc1", "fc2", "fc3"):
            weight, bias = parameters[f"{name}.weight"], parameters[f"{name}.bias"]
            h = torch.baddbmm(bias[:, None], h, weight.mT)
            h = h.relu() if name != "fc3" else h
        return -h.log_softmax(2).gather(2, label[:, :, None]).mean((1, 2))

    def gradient(self, parameters: Arrays, data: Arrays) -> tuple[float, Arrays]:
        """Backpropagation by hand; of equal values in a pooling window the first counts, as only zeros are ever equal."""
        found: Arrays = {}
        h, seen = data["image"], []
        for name in ("conv1", "conv2"):
            windows = np.lib.stride_tricks.sliding_window_view(h, (5, 5), axis=(2, 3))
            out = np.einsum("nchwij,ocij->nohw", windows, parameters[f"{name}.weight"], optimize=True)
            active = np.maximum(out + parameters[f"{name}.bias"][:, None, None], 0.0)
            n, c, side, _ = active.shape
            tiles = active.reshape(n, c, side // 2, 2, side // 2, 2).swapaxes(3, 4).reshape(n, c, side // 2, side // 2, 4)
            best = tiles.argmax(-1)
            seen.append((name, windows, best, active.shape))
            h = tiles.max(-1)
        pooled = h.shape
        h, rows = h.reshape(len(h), -1), []
        for name in ("fc1", "fc2", "fc3"):
            rows.append((name, h))
            h = h @ parameters[f"{name}.weight"].T + parameters[f"{name}.bias"]
            h = np.maximum(h, 0.0) if name != "fc3" else h
        value, back = cross_entropy(h, data["label"])
        for name, before in reversed(rows):
            found[f"{name}.weight"], found[f"{name}.bias"] = back.T @ before, back.sum(0)
            back = back @ parameters[f"{name}.weight"] * (before > 0)  # what was pooled is 0 where ReLU was
        back = back.reshape(pooled)
        for name, windows, best, shape in reversed(seen):
            tiles = np.zeros((*best.shape, 4))
            np.put_along_axis(tiles, best[..., None], back[..., None], -1)
            n, c, side, _ = shape
            out = tiles.reshape(n, c, side // 2, side // 2, 2, 2).swapaxes(3, 4).reshape(shape)
            found[f"{name}.weight"] = np.einsum("nchwij,nohw->ocij", windows, out, optimize=True)
            found[f"{name}.bias"] = out.sum((0, 2, 3))
            weight = parameters[f"{name}.weight"]
            back = np.zeros((n, weight.shape[1], side + 4, side + 4))
            for i in range(5):
                for j in range(5):
                    back[:, :, i : i + side, j : j + side] += np.einsum("nohw,oc->nchw", out, weight[:, :, i, j], optimize=True)
            back = back * (windows_of(windows, side) > 0) if name == "conv2" else back
        return value, {name: found[name] for name in parameters}

    def floor(self, seed: int) -> float:
        """A network that fits its data perfectly has a cross entropy of 0."""
        return 0.0


def convolved(parameters: Tensors, image: torch.Tensor, together: bool) -> torch.Tensor:
    """What the convolutions make of images (R, n, 1, 32, 32): (R, n, 400).

    ``together``: the replicas are the groups of one convolution. A CPU is faster with one replica after another.
    """
    replicas, examples = image.shape[:2]
    groups = replicas if together else 1
    found = []
    for at in range(0, replicas, groups):
        part = slice(at, at + groups)
        h = image[part].transpose(0, 1).flatten(1, 2)
        for name in ("conv1", "conv2"):
            weight, bias = parameters[f"{name}.weight"][part], parameters[f"{name}.bias"][part]
            h = functional.conv2d(h, weight.flatten(0, 1), bias.flatten(), groups=groups)
            h = functional.max_pool2d(h.relu(), 2)
        found.append(h.reshape(examples, groups, -1).transpose(0, 1))
    return torch.cat(found)


def windows_of(windows: np.ndarray, side: int) -> np.ndarray:
    """The array that the sliding windows of 5 by 5 were taken from."""
    whole = np.zeros((*windows.shape[:2], side + 4, side + 4))
    for i in range(5):
        for j in range(5):
            whole[:, :, i : i + side, j : j + side] = windows[..., i, j]
    return whole


declare(LeNet())
