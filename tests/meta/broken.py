"""Wrong implementations, each wrong in one way that a user's class could be: the checker must refuse every one of them.

Losses take torch's arguments and keep torch's contract but for the one fault. ``LOSSES`` and ``OPTIMIZERS`` map each to the
class that it claims to replace.
"""

from __future__ import annotations

import os
import sys

import torch
from torch.nn.functional import cross_entropy, l1_loss


class Loss(torch.nn.Module):
    """The mean absolute error, right as it stands."""

    def __init__(self, size_average=None, reduce=None, reduction="mean"):
        super().__init__()
        self.reduction = torch.nn.L1Loss(size_average, reduce, reduction).reduction

    def forward(self, x, y):
        return l1_loss(x, y, reduction=self.reduction)


class NotANumber(Loss):
    def forward(self, x, y):
        return super().forward(x, y) * torch.nan


class Zeros(Loss):
    def forward(self, x, y):
        return super().forward(x, y) * 0.0


class ItsInput(Loss):
    def forward(self, x, y):
        return x


class Yesterday(Loss):
    """Returns the first answer of its life for every later question of the same shape and dtype."""

    first: dict = {}  # noqa: RUF012

    def forward(self, x, y):
        return self.first.setdefault((x.shape, x.dtype, self.reduction), super().forward(x, y))


class AFloat(Loss):
    def forward(self, x, y):
        return float(super().forward(x, y).sum())


class ANumpyArray(Loss):
    def forward(self, x, y):
        return super().forward(x, y).detach().double().numpy()


class Nothing(Loss):
    def forward(self, x, y):
        return None


class InDouble(Loss):
    """The right numbers in the wrong dtype."""

    def forward(self, x, y):
        return super().forward(x.double(), y.double())


class InHalf(Loss):
    """An intermediate in half precision, the answer in the right dtype."""

    def forward(self, x, y):
        return super().forward(x.half(), y.half()).to(x.dtype)


class ComplexNumbers(Loss):
    def forward(self, x, y):
        return torch.complex(super().forward(x, y).float(), torch.zeros(()))


class OneElement(Loss):
    """A scalar comes back with shape (1,)."""

    def forward(self, x, y):
        return super().forward(x, y).reshape(-1) if self.reduction != "none" else super().forward(x, y)


class OuterShape(Loss):
    """Unreduced losses broadcast one axis too many."""

    def forward(self, x, y):
        return l1_loss(x, y, reduction="none")[None] if self.reduction == "none" else super().forward(x, y)


class Raises(Loss):
    def forward(self, x, y):
        raise ValueError("no such luck\nand more lines that nobody needs")


class RaisesOnEmpty(Loss):
    def forward(self, x, y):
        if not x.numel():
            raise RuntimeError("empty")
        return super().forward(x, y)


class ConstructorRaises(Loss):
    def __init__(self, *args, **kwargs):
        raise ValueError("cannot be made")


class NoForward(torch.nn.Module):
    def __init__(self, size_average=None, reduce=None, reduction="mean"):
        super().__init__()


class DamagesInput(Loss):
    """Computes in place, in the memory of the caller."""

    def forward(self, x, y):
        d = x.detach().clone() - y
        answer = super().forward(x, y)
        x.data.sub_(y).abs_() if d.numel() else None
        return answer


class DamagesTarget(Loss):
    def forward(self, x, y):
        answer = super().forward(x, y)
        y.data.neg_()
        return answer


class LosesNan(Loss):
    """Cleans the caller's input of NaN and infinity in place."""

    def forward(self, x, y):
        answer = super().forward(x, y)
        x.data.nan_to_num_()
        return answer


class _IgnoresIncoming(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x, y, reduction):
        ctx.save_for_backward(torch.sign(x - y) / (x.numel() if reduction == "mean" else 1))
        return l1_loss(x, y, reduction=reduction)

    @staticmethod
    def backward(ctx, upstream):
        (slope,) = ctx.saved_tensors
        return slope, -slope, None


class IgnoresIncoming(Loss):
    """The gradient is right for an incoming gradient of one, and the same for every other."""

    def forward(self, x, y):
        return _IgnoresIncoming.apply(x, y, self.reduction)


class DetachesTarget(Loss):
    def forward(self, x, y):
        return super().forward(x, y.detach())


class DetachesAll(Loss):
    def forward(self, x, y):
        return super().forward(x, y).detach()


class WrongWithGradient(Loss):
    """Another value as soon as the target requires a gradient."""

    def forward(self, x, y):
        return l1_loss(x, y, reduction="sum" if y.requires_grad and self.reduction == "mean" else self.reduction)


class DropsLast(Loss):
    """The tail of a vectorised loop is left out."""

    def forward(self, x, y):
        d = (x - y).abs().reshape(-1)
        if self.reduction == "none" or d.numel() < 2:
            return super().forward(x, y)
        return d[:-1].sum() / (d.numel() if self.reduction == "mean" else 1)


class LegacyIgnored(Loss):
    """size_average and reduce are accepted and forgotten."""

    def __init__(self, size_average=None, reduce=None, reduction="mean"):
        super().__init__(reduction=reduction)


class SlightlyOff(Loss):
    """Every answer is eight roundings too large."""

    def forward(self, x, y):
        return super().forward(x, y) * (1.0 + 8.0 * torch.finfo(x.dtype).eps)


class Exits(Loss):
    """Ends the process as if all were well."""

    def forward(self, x, y):
        sys.exit(0)


class AbortsOnce(Loss):
    """Kills the process in a case or two, without an exception."""

    def forward(self, x, y):
        if x.shape == (1,) and x.dtype == torch.float16 and self.reduction == "sum":
            os.abort()
        return super().forward(x, y)


class MeanOverAllRows(torch.nn.CrossEntropyLoss):
    """Cross entropy whose mean divides by the number of rows, ignored and weighted ones alike."""

    def forward(self, x, y):
        if self.reduction != "mean" or y.is_floating_point():
            return super().forward(x, y)
        summed = cross_entropy(
            x, y, self.weight, ignore_index=self.ignore_index, reduction="sum", label_smoothing=self.label_smoothing
        )
        return summed / y.numel()


class DamagesWeight(torch.nn.CrossEntropyLoss):
    """The weights of the caller are normalised in place, after the answer."""

    def forward(self, x, y):
        answer = super().forward(x, y)
        if self.weight is not None:
            self.weight.data.div_(3.0)
        return answer


class _NoBackward(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x, y, reduction):
        return l1_loss(x, y, reduction=reduction)


class NoBackward(Loss):
    """The value is right, and nobody has written the derivative."""

    def forward(self, x, y):
        return _NoBackward.apply(x, y, self.reduction)


class Optimizer(torch.optim.Optimizer):
    """Adam, right as it stands, in one loop that the wrong ones change a part of."""

    def __init__(self, params, lr=1e-3, betas=(0.9, 0.999), eps=1e-8, weight_decay=0.0):
        super().__init__(params, {"lr": lr, "betas": betas, "eps": eps, "weight_decay": weight_decay})

    def chosen(self):
        return [(group, p) for group in self.param_groups for p in group["params"] if p.grad is not None]

    def memory(self, p):
        state = self.state[p]
        if not state:
            state |= {"step": torch.zeros(()), "exp_avg": torch.zeros_like(p), "exp_avg_sq": torch.zeros_like(p)}
        return state

    def gradient(self, group, p):
        return p.grad + group["weight_decay"] * p if group["weight_decay"] else p.grad

    @torch.no_grad()
    def step(self, closure=None):
        for group, p in self.chosen():
            state, (b1, b2), g = self.memory(p), group["betas"], self.gradient(group, p)
            state["step"] += 1
            t = float(state["step"])
            state["exp_avg"].mul_(b1).add_(g, alpha=1 - b1)
            state["exp_avg_sq"].mul_(b2).addcmul_(g, g, value=1 - b2)
            root = (state["exp_avg_sq"] / (1 - b2**t)).sqrt() + group["eps"]
            p -= group["lr"] * (state["exp_avg"] / (1 - b1**t)) / root


class FirstTensorOnly(Optimizer):
    def chosen(self):
        return super().chosen()[:1]


class SkipsSecondGroup(Optimizer):
    def chosen(self):
        return [(group, p) for group, p in super().chosen() if group is self.param_groups[0]]


class FirstGroupsOptions(Optimizer):
    """Every group is stepped with the options of the first."""

    def chosen(self):
        return [(self.param_groups[0], p) for _, p in super().chosen()]


class StopsAtEmpty(Optimizer):
    """An empty tensor stops the update of those after it."""

    def chosen(self):
        found = super().chosen()
        sizes = [p.numel() for _, p in found]
        return found[: sizes.index(0)] if 0 in sizes else found


class StaleCounter(Optimizer):
    """The step counter is never written back."""

    def memory(self, p):
        state = super().memory(p)
        return state | {"step": state["step"].clone()}


class SharedCounter(Optimizer):
    """One step counter for all parameters."""

    def memory(self, p):
        state = super().memory(p)
        first = next(iter(self.state.values()))
        if state is not first:
            state["step"] = first["step"] - 1
        return state


class ChangesGradient(Optimizer):
    """Weight decay is added into p.grad."""

    def gradient(self, group, p):
        return p.grad.add_(p, alpha=group["weight_decay"]) if group["weight_decay"] else p.grad


class ClearsGradient(Optimizer):
    def step(self, closure=None):
        super().step(closure)
        for _, p in self.chosen():
            p.grad = None


class NoState(Optimizer):
    """Starts anew at every step."""

    def memory(self, p):
        self.state.pop(p, None)
        state = dict(super().memory(p))
        self.state.pop(p)
        return state


class MovesResting(Optimizer):
    """Decays parameters that have no gradient, too."""

    @torch.no_grad()
    def step(self, closure=None):
        super().step(closure)
        for group in self.param_groups:
            for p in group["params"]:
                if p.grad is None:
                    p *= 1.0 - group["lr"]


class StepRaises(Optimizer):
    def step(self, closure=None):
        raise ValueError("no such luck")


class NoStep(Optimizer):
    def step(self, closure=None):
        raise NotImplementedError


class DoesNothing(Optimizer):
    def step(self, closure=None):
        return None


class NotANumberAtLast(Optimizer):
    """The twentieth step loses the parameters."""

    @torch.no_grad()
    def step(self, closure=None):
        super().step(closure)
        for _, p in self.chosen():
            if float(self.state[p]["step"]) >= 20:
                p.fill_(torch.nan)


class StepExits(Optimizer):
    def step(self, closure=None):
        sys.exit(0)


class DampedFirstBuffer(torch.optim.SGD):
    """SGD whose momentum buffer starts at zero, so that dampening reaches the first gradient."""

    @torch.no_grad()
    def step(self, closure=None):
        for group in self.param_groups:
            for p in group["params"]:
                if p.grad is not None and group["momentum"] and self.state[p].get("momentum_buffer") is None:
                    self.state[p]["momentum_buffer"] = torch.zeros_like(p)
        return super().step(closure)


LOSSES = dict.fromkeys((*Loss.__subclasses__(), NoForward), "L1Loss")
LOSSES |= {MeanOverAllRows: "CrossEntropyLoss", DamagesWeight: "CrossEntropyLoss"}
OPTIMIZERS = dict.fromkeys(Optimizer.__subclasses__(), "Adam") | {DampedFirstBuffer: "SGD"}
