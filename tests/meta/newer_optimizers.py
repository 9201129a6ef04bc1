"""NAdam, RAdam, Adafactor and Muon in another algebra, which the checker may not refuse, and with faults, which it must.

``RIGHT`` and ``WRONG`` map each class to the torch class in whose place it stands.
"""

from __future__ import annotations

import math

import torch
from meta.alternatives import Optimizer


class NAdam(Optimizer):
    """Two steps in a row, by the mean and by the gradient; the product of the momenta from a list of all."""

    def __init__(
        self, params, lr=2e-3, betas=(0.9, 0.999), eps=1e-8, weight_decay=0.0, momentum_decay=4e-3,
        decoupled_weight_decay=False, *, maximize=False,
    ):  # fmt: skip
        super().__init__(
            params, lr=lr, betas=betas, eps=eps, weight_decay=weight_decay, momentum_decay=momentum_decay,
            decoupled_weight_decay=decoupled_weight_decay, maximize=maximize,
        )  # fmt: skip

    def start(self, p, state, group):
        state |= {"exp_avg": torch.zeros_like(p), "exp_avg_sq": torch.zeros_like(p)}

    def update(self, p, g, state, group):
        b1, b2 = group["betas"]
        t = int(state["step"])
        if group["decoupled_weight_decay"]:
            p.mul_(1 - group["lr"] * group["weight_decay"])
        else:
            g = self.decayed(p, g, group)
        mu = [b1 * (1 - 0.5 * 0.96 ** (i * group["momentum_decay"])) for i in range(1, t + 2)]
        state["exp_avg"].mul_(b1).add_(g * (1 - b1))
        state["exp_avg_sq"].lerp_(g * g, 1 - b2)
        root = state["exp_avg_sq"].sqrt() / math.sqrt(1 - b2**t) + group["eps"]
        p -= state["exp_avg"] / root * (group["lr"] * mu[-1] / (1 - math.prod(mu)))
        p -= g / root * (group["lr"] * (1 - mu[-2]) / (1 - math.prod(mu[:-1])))


class RAdam(Optimizer):
    """The length of the average as a sum of its weights; one rate."""

    def __init__(
        self, params, lr=1e-3, betas=(0.9, 0.999), eps=1e-8, weight_decay=0.0, decoupled_weight_decay=False, *, maximize=False
    ):
        super().__init__(
            params, lr=lr, betas=betas, eps=eps, weight_decay=weight_decay, decoupled_weight_decay=decoupled_weight_decay,
            maximize=maximize,
        )  # fmt: skip

    def start(self, p, state, group):
        state |= {"exp_avg": torch.zeros_like(p), "exp_avg_sq": torch.zeros_like(p)}

    def update(self, p, g, state, group):
        b1, b2 = group["betas"]
        t = int(state["step"])
        if group["decoupled_weight_decay"]:
            p.mul_(1 - group["lr"] * group["weight_decay"])
        else:
            g = self.decayed(p, g, group)
        state["exp_avg"].lerp_(g, 1 - b1)
        state["exp_avg_sq"].mul_(b2).addcmul_(g, g, value=1 - b2)
        rate = group["lr"] / (1 - b1**t)
        longest = 2 / (1 - b2) - 1
        length = 1 + 2 * sum(i * b2**i for i in range(t)) / sum(b2**i for i in range(t))
        if length <= 5:
            p -= rate * state["exp_avg"]
            return
        rate *= math.sqrt((length - 4) / (longest - 4) * (length - 2) / (longest - 2) * longest / length * (1 - b2**t))
        p.addcdiv_(state["exp_avg"], state["exp_avg_sq"].sqrt().add_(group["eps"]), value=-rate)


class Adafactor(Optimizer):
    """Roots of the factors instead of the root of their product."""

    def __init__(self, params, lr=1e-2, beta2_decay=-0.8, eps=(None, 1e-3), d=1.0, weight_decay=0.0, *, maximize=False):
        super().__init__(params, lr=lr, beta2_decay=beta2_decay, eps=eps, d=d, weight_decay=weight_decay, maximize=maximize)

    def start(self, p, state, group):
        state["epsilon"] = torch.tensor(torch.finfo(p.dtype).eps)
        if p.ndim < 2:
            state["variance"] = torch.zeros_like(p)
        else:
            state |= {"row_var": torch.zeros_like(p[..., :1]), "col_var": torch.zeros_like(p[..., :1, :])}

    def update(self, p, g, state, group):
        if not p.numel():
            return
        t = float(state["step"])
        eps1 = float(state["epsilon"]) if group["eps"][0] is None else group["eps"][0]
        share = t ** group["beta2_decay"]
        alpha = max(group["eps"][1], float(p.double().square().mean().sqrt())) * min(group["lr"], t**-0.5)
        p -= p * (group["lr"] * group["weight_decay"])
        root = self.root(g, state, share, eps1)
        u = g / root.clamp(min=eps1)
        p -= u * (alpha / max(1.0, float(u.double().square().mean().sqrt()) / group["d"]))

    def root(self, g, state, share, eps1):
        if "variance" in state:
            state["variance"] = state["variance"].to(g.dtype).lerp(g * g, share)  # a number is not widened with the tensors
            return state["variance"].sqrt()
        state["row_var"].mul_(1 - share).add_(g.square().mean(-1, keepdim=True), alpha=share)
        state["col_var"].mul_(1 - share).add_(g.square().mean(-2, keepdim=True), alpha=share)
        mean = state["row_var"].mean(-2, keepdim=True).clamp(min=eps1)
        return (state["row_var"] / mean).sqrt() * state["col_var"].sqrt()


class Muon(Optimizer):
    """The documented sum as momentum, and the singular values pushed one by one."""

    counter = False

    def __init__(
        self, params, lr=1e-3, weight_decay=0.1, momentum=0.95, nesterov=True, ns_coefficients=(3.4445, -4.775, 2.0315),
        eps=1e-7, ns_steps=5, adjust_lr_fn=None,
    ):  # fmt: skip
        super().__init__(
            params, lr=lr, weight_decay=weight_decay, momentum=momentum, nesterov=nesterov, ns_coefficients=ns_coefficients,
            eps=eps, ns_steps=ns_steps, adjust_lr_fn=adjust_lr_fn, maximize=False,
        )  # fmt: skip

    def start(self, p, state, group):
        state["momentum_buffer"] = torch.zeros_like(p)

    def direction(self, g, state, group):
        b = state["momentum_buffer"].mul_(group["momentum"]).add_(g)
        return g + group["momentum"] * b if group["nesterov"] else b

    def update(self, p, g, state, group):
        if not p.numel():
            return
        rows, columns = p.shape
        pushed = self.pushed(self.direction(g, state, group), group).to(p.dtype)
        p *= 1 - group["lr"] * group["weight_decay"]
        rms = group["adjust_lr_fn"] == "match_rms_adamw"
        p -= group["lr"] * (0.2 * max(p.shape) ** 0.5 if rms else max(1.0, rows / columns) ** 0.5) * pushed

    def pushed(self, m, group):
        a, b, c = group["ns_coefficients"]
        u, s, v = torch.linalg.svd(m.double(), full_matrices=False)
        s = s / (torch.linalg.vector_norm(s) + group["eps"])
        for _ in range(group["ns_steps"]):
            s = a * s + b * s**3 + c * s**5
        return u * s @ v


class AveragedMuon(Muon):
    """A running average as momentum, and the iteration of the post in bfloat16, on the other side of the matrix."""

    def direction(self, g, state, group):
        b = state["momentum_buffer"].lerp_(g, 1 - group["momentum"])
        return g.lerp(b, group["momentum"]) if group["nesterov"] else b

    def pushed(self, m, group):
        a, b, c = group["ns_coefficients"]
        size = torch.linalg.vector_norm(m)
        if group["momentum"] < 1.0:  # eps belongs to the norm of the sum
            size = size + group["eps"] * (1 - group["momentum"])
        x = (m / size).bfloat16() if size else m.bfloat16()
        x = x if m.shape[0] >= m.shape[1] else x.T
        for _ in range(group["ns_steps"]):
            gram = x.T @ x
            x = a * x + x @ (b * gram + c * (gram @ gram))
        return x if m.shape[0] >= m.shape[1] else x.T


class StateOfOtherName(Muon):
    """Its momentum is nobody's business."""

    def start(self, p, state, group):
        state["m"] = torch.zeros_like(p)

    def direction(self, g, state, group):
        b = state["m"].mul_(group["momentum"]).add_(g)
        return g + group["momentum"] * b if group["nesterov"] else b


class SquaredFactors(Adafactor):
    """The estimate of the second moment taken for its root."""

    def root(self, g, state, share, eps1):
        return super().root(g, state, share, eps1).square()


class ClippedTwice(Adafactor):
    """The update is limited to half of d."""

    def update(self, p, g, state, group):
        super().update(p, g, state, group | {"d": group["d"] / 2})


class EpsilonOfDouble(Adafactor):
    """eps1 is that of float64 in every format."""

    def start(self, p, state, group):
        super().start(p, state, group)
        state["eps1"] = torch.tensor(torch.finfo(torch.float64).eps, dtype=torch.float64)


class OneIterationLess(AveragedMuon):
    def pushed(self, m, group):
        return super().pushed(m, group | {"ns_steps": max(group["ns_steps"] - 1, 0)})


class MixedMomentum(AveragedMuon):
    """Looks ahead from an average as if it were a sum."""

    def direction(self, g, state, group):
        b = state["momentum_buffer"].lerp_(g, 1 - group["momentum"])
        return g + group["momentum"] * b if group["nesterov"] else b


class WrongSide(Muon):
    """The step of a tall matrix is not lengthened."""

    def update(self, p, g, state, group):
        tall = max(1.0, p.shape[0] / max(p.shape[1], 1)) ** 0.5 if group["adjust_lr_fn"] != "match_rms_adamw" else 1.0
        super().update(p, g, state, group | {"lr": group["lr"] / tall, "weight_decay": group["weight_decay"] * tall})


class Unrectified(RAdam):
    """Rectified from length 4 on, as in the paper."""

    def update(self, p, g, state, group):
        b2 = group["betas"][1]
        t = int(state["step"])
        length = 1 + 2 * sum(i * b2**i for i in range(t)) / sum(b2**i for i in range(t))
        early = 4 < length <= 5
        super().update(p, g, state, group | {"lr": group["lr"] * 0.5 if early else group["lr"]})


class ForgetsTheProduct(NAdam):
    """The momentum of the first step at every step."""

    def update(self, p, g, state, group):
        super().update(p, g, state, group | {"momentum_decay": 0.0})


RIGHT = {
    NAdam: "NAdam", RAdam: "RAdam", Adafactor: "Adafactor", Muon: "Muon", AveragedMuon: "Muon", StateOfOtherName: "Muon",
}  # fmt: skip
WRONG = {
    SquaredFactors: "Adafactor", ClippedTwice: "Adafactor", EpsilonOfDouble: "Adafactor", OneIterationLess: "Muon",
    MixedMomentum: "Muon", WrongSide: "Muon", Unrectified: "RAdam", ForgetsTheProduct: "NAdam",
}  # fmt: skip
