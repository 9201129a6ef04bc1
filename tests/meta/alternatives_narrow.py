"""Right implementations that provide for less than torch's: fewer options, fewer values of one, a state of their own.

What they lack is unsupported, and the rest is right: a whole verification of each ends well.
"""

from __future__ import annotations

import torch
from torch.nn import functional


class HingeMeanOnly(torch.nn.Module):
    """The constructor refuses every reduction but the mean."""

    def __init__(self, margin=1.0, reduction="mean"):
        super().__init__()
        if reduction != "mean":
            raise ValueError("only the mean is provided for")
        self.margin = margin

    def forward(self, x, y):
        return torch.where(y == 1, x, (self.margin - x).clamp(min=0)).mean()


class HingeOfKnownReductions(torch.nn.Module):
    """The call refuses the reduction that it does not know."""

    def __init__(self, margin=1.0, reduction="mean"):
        super().__init__()
        self.margin, self.reduction = margin, reduction

    def forward(self, x, y):
        losses = torch.where(y == 1, x, (self.margin - x).clamp(min=0))
        if self.reduction == "mean":
            return losses.mean()
        if self.reduction == "sum":
            return losses.sum()
        raise ValueError(f"unknown reduction {self.reduction!r}")


class EntropyOfIndices(torch.nn.Module):
    """No class weights, no smoothing, no class probabilities."""

    def __init__(self, ignore_index=-100, reduction="mean"):
        super().__init__()
        self.how = {"ignore_index": ignore_index, "reduction": reduction}

    def forward(self, x, y):
        if y.is_floating_point():
            raise NotImplementedError("class probabilities")
        return functional.nll_loss(functional.log_softmax(x, 1 if x.dim() > 1 else 0), y, **self.how)


class HingesByPower(torch.nn.Module):
    """The margin between classes to the power p, its derivative by autograd."""

    def __init__(self, p=1, margin=1.0, reduction="mean"):
        super().__init__()
        self.p, self.margin, self.reduction = p, margin, reduction

    def forward(self, x, y):
        rows, labels = torch.atleast_2d(x), torch.atleast_1d(y)
        hinges = (self.margin - rows.gather(1, labels[:, None]) + rows).clamp(min=0) ** self.p
        losses = hinges.scatter(1, labels[:, None], 0.0).sum(1) / rows.shape[1]
        losses = losses if x.dim() > 1 else losses[0]
        return {"none": losses, "sum": losses.sum(), "mean": losses.mean()}[self.reduction]


class Velocity(torch.optim.Optimizer):
    """SGD whose momentum has another name and begins with zero; a group without momentum has no state."""

    def __init__(self, params, lr=1e-3, momentum=0.0):
        super().__init__(params, {"lr": lr, "momentum": momentum})

    @torch.no_grad()
    def step(self, closure=None):
        for group in self.param_groups:
            for p in group["params"]:
                if p.grad is None:
                    continue
                direction = p.grad
                if group["momentum"]:
                    direction = self.state[p].setdefault("velocity", torch.zeros_like(p))
                    direction.mul_(group["momentum"]).add_(p.grad)
                p.sub_(group["lr"] * direction)


class RootOfQuotient(torch.optim.Optimizer):
    """Adadelta with one root of the quotient, by a state of Python's own arithmetic."""

    def __init__(self, params, lr=1.0, rho=0.9, eps=1e-6, weight_decay=0.0):
        super().__init__(params, {"lr": lr, "rho": rho, "eps": eps, "weight_decay": weight_decay})

    @torch.no_grad()
    def step(self, closure=None):
        for group in self.param_groups:
            rho, eps = group["rho"], group["eps"]
            for p in group["params"]:
                if p.grad is None:
                    continue
                g = p.grad + group["weight_decay"] * p if group["weight_decay"] else p.grad
                state = self.state[p] or {"step": 0, "square_avg": torch.zeros_like(p), "acc_delta": torch.zeros_like(p)}
                self.state[p] = state
                state["step"] += 1
                state["square_avg"] = rho * state["square_avg"] + (1 - rho) * g * g
                move = torch.sqrt((state["acc_delta"] + eps) / (state["square_avg"] + eps)) * g
                state["acc_delta"] = rho * state["acc_delta"] + (1 - rho) * move * move
                p.sub_(group["lr"] * move)


CLAIMS = {
    HingeMeanOnly: "HingeEmbeddingLoss",
    HingeOfKnownReductions: "HingeEmbeddingLoss",
    EntropyOfIndices: "CrossEntropyLoss",
    HingesByPower: "MultiMarginLoss",
    Velocity: "SGD",
    RootOfQuotient: "Adadelta",
}
