"""Right implementations in another algebra than torch's and the reference's: the checker must refuse none of them.

Each takes the constructor's arguments of the torch class in whose place it stands. ``ALTERNATIVES`` maps it to that class.
"""

from __future__ import annotations

import math

import torch
from torch.nn import functional


class Loss(torch.nn.Module):
    """Reduction, with the deprecated pair; ``losses`` gives the unreduced losses."""

    def __init__(self, size_average=None, reduce=None, reduction="mean", **options):
        super().__init__()
        self.reduction = torch.nn.L1Loss(size_average, reduce, reduction).reduction if reduction != "batchmean" else reduction
        for name, value in options.items():
            setattr(self, name, value)

    def forward(self, *inputs):
        losses = self.losses(*inputs)
        if self.reduction == "none":
            return losses
        if self.reduction == "batchmean":
            return losses.sum() / losses.shape[0]
        return torch.einsum("i->", losses.reshape(-1)) / (losses.numel() if self.reduction == "mean" else 1)


class Absolute(Loss):
    """max(d, -d) of the difference taken once."""

    def losses(self, x, y):
        d = x - y
        return torch.where(d > 0, d, torch.where(d < 0, -d, d * torch.sign(d)))


class Squared(Loss):
    """The difference to the power of two."""

    def losses(self, x, y):
        return torch.pow(y - x, 2)


class SmoothWhere(Loss):
    """Both branches and a choice; beta 0 on its own."""

    def __init__(self, *args, beta=1.0, **kwargs):
        super().__init__(*args, beta=beta, **kwargs)

    def losses(self, x, y):
        d = (y - x).abs()
        if self.beta == 0:
            return d
        small = d.clamp(max=self.beta)  # the parabola of an infinity would leave NaN in the derivative of the other branch
        return torch.where(d < self.beta, small.square() / (2 * self.beta), d - self.beta / 2)


class SmoothHuber(Loss):
    """The loss of Huber over beta."""

    def __init__(self, *args, beta=1.0, **kwargs):
        super().__init__(*args, beta=beta, **kwargs)

    def losses(self, x, y):
        if self.beta == 0:
            return torch.nn.functional.l1_loss(x, y, reduction="none")
        return torch.nn.functional.huber_loss(x, y, delta=self.beta, reduction="none") / self.beta


class CrossEntropyWhere(Loss):
    """Binary cross entropy by choosing the two logarithms and a lerp between them."""

    def __init__(self, weight=None, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.weight = weight

    def losses(self, x, y):
        yes = torch.where(x > 0, torch.log(torch.where(x > 0, x, 1.0)), -100.0)
        no = torch.where(x < 1, torch.log1p(-torch.where(x < 1, x, 0.0)), -100.0)
        losses = -(no.clamp(min=-100) * (1 - y) + yes.clamp(min=-100) * y)
        return losses if self.weight is None else self.weight * losses


class CrossEntropyGather(Loss):
    """log_softmax and gather, or a product with the probabilities; smoothing as a mixture; the mean over the weights kept."""

    def __init__(self, weight=None, size_average=None, ignore_index=-100, reduce=None, reduction="mean", label_smoothing=0.0):
        super().__init__(size_average, reduce, reduction, ignore_index=ignore_index, label_smoothing=label_smoothing)
        self.weight = weight

    def forward(self, x, y):
        axis = 1 if x.ndim > 1 else 0
        classes = x.shape[axis]
        logp = torch.log_softmax(x, axis)
        shape = [classes if i == axis else 1 for i in range(x.ndim)]
        s = self.label_smoothing
        if y.is_floating_point():
            w = 1.0 if self.weight is None else self.weight.reshape(shape)
            q = (1 - s) * y + s / classes
            losses = -(w * q * logp).sum(axis)
            if self.reduction == "mean":
                return losses.sum() / (x.numel() // classes)
            return losses.sum() if self.reduction == "sum" else losses
        kept = y != self.ignore_index
        safe = torch.where(kept, y, 0)
        w = logp.new_ones(classes) if self.weight is None else self.weight
        of_row = torch.where(kept, w[safe], 0.0)
        picked = logp.gather(axis, safe.unsqueeze(axis)).squeeze(axis)
        losses = torch.where(kept, -(1 - s) * w[safe] * picked, 0.0)
        if s:
            uniform = -(w.reshape(shape) * logp).sum(axis)
            losses = losses + torch.where(kept, uniform * (s / classes), 0.0)
        if self.reduction == "mean":
            return losses.sum() / of_row.sum()
        return losses.sum() if self.reduction == "sum" else losses


class Divergence(Loss):
    """t (log t - x), the target 0 chosen away."""

    def __init__(self, *args, log_target=False, **kwargs):
        super().__init__(*args, log_target=log_target, **kwargs)

    def losses(self, x, t):
        if self.log_target:
            return torch.exp(t) * (t - x)
        return t * (torch.log(torch.where(t == 0, 1.0, t)) - x)


class Poisson(Loss):
    """Term by term, Stirling's with the logarithm of 2 pi t taken apart."""

    def __init__(self, log_input=True, full=False, size_average=None, eps=1e-8, reduce=None, reduction="mean"):
        super().__init__(size_average, reduce, reduction, log_input=log_input, full=full, eps=eps)

    def losses(self, x, t):
        losses = torch.exp(x) - x * t if self.log_input else x - torch.log(x + self.eps) * t
        if self.full:
            safe = torch.where(t > 1, t, 2.0)
            stirling = safe * torch.log(safe) - safe + 0.5 * (math.log(2 * math.pi) + torch.log(safe))
            losses = losses + torch.where(t > 1, stirling, 0.0)
        return losses


class Ranking(Loss):
    """relu instead of clamp."""

    def __init__(self, margin=0.0, *args, **kwargs):
        super().__init__(*args, margin=margin, **kwargs)

    def losses(self, a, b, y):
        return functional.relu(y * (b - a) + self.margin)


class HingeEmbedding(Loss):
    """One choice by the label."""

    def __init__(self, margin=1.0, *args, **kwargs):
        super().__init__(*args, margin=margin, **kwargs)

    def losses(self, x, y):
        return torch.where(y > 0, x, functional.relu(self.margin - x))


class SoftMargin(Loss):
    """softplus."""

    def losses(self, x, y):
        return functional.softplus(-(x * y), threshold=1e4)


class LogisticByLogsigmoid(Loss):
    """The logarithm of the sigmoid."""

    def losses(self, x, y):
        return -functional.logsigmoid(x * y)


class MultiMargin(Loss):
    """Gather, clamp, and the target's own term (margin to the power p) taken off again by a mask."""

    def __init__(self, p=1, margin=1.0, weight=None, size_average=None, reduce=None, reduction="mean"):
        super().__init__(size_average, reduce, reduction, p=p, margin=margin)
        self.weight = weight

    def losses(self, x, y):
        own = x.gather(-1, y.unsqueeze(-1))
        terms = (self.margin + x - own).clamp(min=0)
        terms = terms * terms if self.p == 2 else terms
        if self.weight is None:
            terms = terms / x.shape[-1]
        else:
            terms = terms * (self.weight[y] / x.shape[-1]).unsqueeze(-1)
        others = torch.arange(x.shape[-1]) != y.unsqueeze(-1)
        return torch.where(others, terms, 0.0).sum(-1)


class Triplet(Loss):
    """vector_norm."""

    def __init__(self, margin=1.0, p=2.0, eps=1e-6, swap=False, size_average=None, reduce=None, reduction="mean"):
        super().__init__(size_average, reduce, reduction, margin=margin, p=p, eps=eps, swap=swap)

    def distance(self, a, b):
        return torch.linalg.vector_norm(a - b + self.eps, ord=self.p, dim=-1)

    def losses(self, a, p, n):
        far = self.distance(a, n)
        if self.swap:
            far = torch.minimum(far, self.distance(p, n))
        return functional.relu(self.distance(a, p) - far + self.margin)


class Cosine(Loss):
    """The inner product of normalised vectors."""

    def __init__(self, margin=0.0, *args, **kwargs):
        super().__init__(*args, margin=margin, **kwargs)

    def losses(self, a, b, y):
        cosine = (functional.normalize(a, dim=-1) * functional.normalize(b, dim=-1)).sum(-1)
        return torch.where(y > 0, 1 - cosine, functional.relu(cosine - self.margin))


class Optimizer(torch.optim.Optimizer):
    """Loops over the parameters and hands each to ``update(p, g, state, group)``; computes the half types in float32."""

    counter = True

    def __init__(self, params, **defaults):
        super().__init__(params, defaults)

    @torch.no_grad()
    def step(self, closure=None):
        for group in self.param_groups:
            for p in group["params"]:
                if p.grad is None:
                    continue
                state = self.state[p]
                if not state:
                    if self.counter:
                        state["step"] = torch.zeros(())
                    self.start(p, state, group)
                g = p.grad.neg() if group["maximize"] else p.grad
                if self.counter:
                    state["step"] += 1
                wide = torch.promote_types(p.dtype, torch.float32)
                held = {name: value.to(wide) if value.ndim else value for name, value in state.items()}
                value = p.to(wide)
                self.update(value, g.to(wide), held, group)
                p.copy_(value)
                state |= {name: value.to(p.dtype) if value.ndim else value for name, value in held.items()}

    def decayed(self, p, g, group):
        return torch.add(g, p, alpha=group["weight_decay"]) if group["weight_decay"] else g


class AdamByRate(Optimizer):
    """The form of the end of section 2 of the paper: both bias corrections in the rate, eps scaled in their place; lerp."""

    decoupled = False

    def __init__(
        self, params, lr=1e-3, betas=(0.9, 0.999), eps=1e-8, weight_decay=0.0, amsgrad=False, *, maximize=False,
        decoupled_weight_decay=False,
    ):  # fmt: skip
        super().__init__(
            params, lr=lr, betas=betas, eps=eps, weight_decay=weight_decay, amsgrad=amsgrad, maximize=maximize,
            decoupled_weight_decay=decoupled_weight_decay,
        )  # fmt: skip

    def start(self, p, state, group):
        names = ("exp_avg", "exp_avg_sq", "max_exp_avg_sq") if group["amsgrad"] else ("exp_avg", "exp_avg_sq")
        state |= {name: torch.zeros_like(p) for name in names}

    def update(self, p, g, state, group):
        b1, b2 = group["betas"]
        if group["decoupled_weight_decay"]:
            p.mul_(1 - group["lr"] * group["weight_decay"])
        else:
            g = self.decayed(p, g, group)
        state["exp_avg"].lerp_(g, 1 - b1)
        state["exp_avg_sq"].mul_(b2).add_(g.square(), alpha=1 - b2)
        v = state["exp_avg_sq"]
        if group["amsgrad"]:
            v = torch.maximum(state["max_exp_avg_sq"], v, out=state["max_exp_avg_sq"])
        self.move(p, state["exp_avg"], v, float(state["step"]), group)

    def move(self, p, m, v, t, group):
        b1, b2 = group["betas"]
        root = math.sqrt(1 - b2**t)
        rate = group["lr"] * root / (1 - b1**t)
        p.addcdiv_(m, v.sqrt() + group["eps"] * root, value=-rate)


class AdamByHats(AdamByRate):
    """Both corrected moments written out."""

    def move(self, p, m, v, t, group):
        b1, b2 = group["betas"]
        p.sub_(group["lr"] * ((m / (1 - b1**t)) / ((v / (1 - b2**t)).sqrt() + group["eps"])))


class AdamW(AdamByRate):
    """Decoupled decay by a factor, then as above."""

    def __init__(self, params, lr=1e-3, betas=(0.9, 0.999), eps=1e-8, weight_decay=1e-2, amsgrad=False, *, maximize=False):
        super().__init__(params, lr, betas, eps, weight_decay, amsgrad, maximize=maximize, decoupled_weight_decay=True)


class SGD(Optimizer):
    """One product at a time."""

    counter = False

    def __init__(self, params, lr=1e-3, momentum=0.0, dampening=0.0, weight_decay=0.0, nesterov=False, *, maximize=False):
        super().__init__(
            params,
            lr=lr,
            momentum=momentum,
            dampening=dampening,
            weight_decay=weight_decay,
            nesterov=nesterov,
            maximize=maximize,
        )

    def start(self, p, state, group):
        pass

    def update(self, p, g, state, group):
        g = self.decayed(p, g, group)
        if group["momentum"]:
            b = state.get("momentum_buffer")
            b = g.clone() if b is None else group["momentum"] * b + (1 - group["dampening"]) * g
            state["momentum_buffer"] = b
            g = g + b * group["momentum"] if group["nesterov"] else b
        p.copy_(p - g * group["lr"])


class RMSprop(Optimizer):
    """lerp for the averages, the variance as a difference."""

    def __init__(
        self, params, lr=1e-2, alpha=0.99, eps=1e-8, weight_decay=0.0, momentum=0.0, centered=False, *, maximize=False
    ):
        super().__init__(
            params,
            lr=lr,
            alpha=alpha,
            eps=eps,
            weight_decay=weight_decay,
            momentum=momentum,
            centered=centered,
            maximize=maximize,
        )

    def start(self, p, state, group):
        state["square_avg"] = torch.zeros_like(p)
        if group["centered"]:
            state["grad_avg"] = torch.zeros_like(p)
        if group["momentum"]:
            state["momentum_buffer"] = torch.zeros_like(p)

    def update(self, p, g, state, group):
        g = self.decayed(p, g, group)
        v = state["square_avg"].lerp_(g * g, 1 - group["alpha"])
        if group["centered"]:
            a = state["grad_avg"].lerp_(g, 1 - group["alpha"])
            v = v - a * a
        step = g / (v.sqrt() + group["eps"])
        if group["momentum"]:
            step = state["momentum_buffer"].mul_(group["momentum"]).add_(step)
        p.sub_(step * group["lr"])


class Adagrad(Optimizer):
    """The rate written as a division."""

    def __init__(
        self, params, lr=1e-2, lr_decay=0.0, weight_decay=0.0, initial_accumulator_value=0.0, eps=1e-10, *, maximize=False
    ):
        super().__init__(
            params, lr=lr, lr_decay=lr_decay, weight_decay=weight_decay, initial_accumulator_value=initial_accumulator_value,
            eps=eps, maximize=maximize,
        )  # fmt: skip

    def start(self, p, state, group):
        state["sum"] = torch.full_like(p, group["initial_accumulator_value"])

    def update(self, p, g, state, group):
        g = self.decayed(p, g, group)
        state["sum"] += g.square()
        slowed = 1 + (float(state["step"]) - 1) * group["lr_decay"]
        p.sub_(g / (state["sum"].sqrt() + group["eps"]) * (group["lr"] / slowed))


class Adadelta(Optimizer):
    """One root of the quotient instead of the quotient of two roots."""

    def __init__(self, params, lr=1.0, rho=0.9, eps=1e-6, weight_decay=0.0, *, maximize=False):
        super().__init__(params, lr=lr, rho=rho, eps=eps, weight_decay=weight_decay, maximize=maximize)

    def start(self, p, state, group):
        state |= {"square_avg": torch.zeros_like(p), "acc_delta": torch.zeros_like(p)}

    def update(self, p, g, state, group):
        g = self.decayed(p, g, group)
        rho, eps = group["rho"], group["eps"]
        state["square_avg"].lerp_(g * g, 1 - rho)
        step = self.ratio(state["acc_delta"] + eps, state["square_avg"] + eps) * g
        state["acc_delta"].lerp_(step * step, 1 - rho)
        p.add_(step, alpha=-group["lr"])

    def ratio(self, u, v):
        return u.sqrt() * v.rsqrt()


class Adamax(Optimizer):
    """The rate first, then the quotient."""

    def __init__(self, params, lr=2e-3, betas=(0.9, 0.999), eps=1e-8, weight_decay=0.0, *, maximize=False):
        super().__init__(params, lr=lr, betas=betas, eps=eps, weight_decay=weight_decay, maximize=maximize)

    def start(self, p, state, group):
        state |= {"exp_avg": torch.zeros_like(p), "exp_inf": torch.zeros_like(p)}

    def update(self, p, g, state, group):
        g = self.decayed(p, g, group)
        b1, b2 = group["betas"]
        state["exp_avg"].lerp_(g, 1 - b1)
        torch.maximum(state["exp_inf"] * b2, g.abs() + group["eps"], out=state["exp_inf"])
        rate = group["lr"] / (1 - b1 ** float(state["step"]))
        p.sub_(rate * (state["exp_avg"] / state["exp_inf"]))


LOSSES = {
    Absolute: "L1Loss",
    Squared: "MSELoss",
    SmoothWhere: "SmoothL1Loss",
    SmoothHuber: "SmoothL1Loss",
    CrossEntropyWhere: "BCELoss",
    CrossEntropyGather: "CrossEntropyLoss",
    Divergence: "KLDivLoss",
    Poisson: "PoissonNLLLoss",
    Ranking: "MarginRankingLoss",
    HingeEmbedding: "HingeEmbeddingLoss",
    SoftMargin: "SoftMarginLoss",
    LogisticByLogsigmoid: "SoftMarginLoss",
    MultiMargin: "MultiMarginLoss",
    Triplet: "TripletMarginLoss",
    Cosine: "CosineEmbeddingLoss",
}
OPTIMIZERS = {
    AdamByRate: "Adam",
    AdamByHats: "Adam",
    AdamW: "AdamW",
    SGD: "SGD",
    RMSprop: "RMSprop",
    Adagrad: "Adagrad",
    Adadelta: "Adadelta",
    Adamax: "Adamax",
}
