"""More right losses in another algebra than torch's and the reference's: likelihoods, margins, modules with parameters."""

from __future__ import annotations

import itertools
import math

import torch
from meta.alternatives import Loss
from torch.nn import functional


class HuberByClamp(Loss):
    """The part of the difference within delta, squared, and the rest times delta."""

    def __init__(self, reduction="mean", delta=1.0):
        super().__init__(reduction=reduction, delta=delta)

    def losses(self, x, y):
        d = (y - x).abs()
        inner = d.clamp(max=self.delta)
        return torch.where(d > self.delta, self.delta * (d - 0.5 * self.delta), 0.5 * inner * inner)


class LikelihoodByMask(Loss):
    """A product with the one-hot target, summed over the classes; the mean over the weights of the rows kept."""

    def __init__(self, weight=None, size_average=None, ignore_index=-100, reduce=None, reduction="mean"):
        super().__init__(size_average, reduce, reduction, ignore_index=ignore_index)
        self.weight = weight

    def forward(self, x, y):
        axis = 1 if x.ndim > 1 else 0
        kept = y != self.ignore_index
        classes = torch.arange(x.shape[axis]).reshape([-1] + [1] * (x.ndim - axis - 1))
        hot = (y.unsqueeze(axis) == classes) & kept.unsqueeze(axis)
        w = torch.ones(x.shape[axis], dtype=x.dtype) if self.weight is None else self.weight
        w = w.reshape(classes.shape)
        losses = torch.where(hot, -(w * x), 0.0).sum(axis)
        if self.reduction == "none":
            return losses
        total = losses.float().sum() if losses.element_size() < 4 else losses.sum()
        of_rows = torch.where(hot, w, 0.0).sum(axis)
        mean = total / (of_rows.float().sum() if losses.element_size() < 4 else of_rows.sum())
        return (total if self.reduction == "sum" else mean).to(x.dtype)


class LogitsBySoftplus(Loss):
    """log(1 + exp(x)) - x y, with pos_weight on the part of the positives; short, and not careful with small losses."""

    def __init__(self, weight=None, size_average=None, reduce=None, reduction="mean", pos_weight=None):
        super().__init__(size_average, reduce, reduction)
        self.weight, self.pos_weight = weight, pos_weight

    def entropy(self, x, y):
        if self.pos_weight is None:
            return self.softplus(x) - x * y
        return (1 - y) * self.softplus(x) + self.pos_weight * y * self.softplus(-x)

    def softplus(self, x):
        return torch.logaddexp(x, torch.zeros_like(x))

    def losses(self, x, y):
        found = self.entropy(x, y)
        return found if self.weight is None else self.weight * found


class LogitsByMaximum(LogitsBySoftplus):
    """The form with the absolute value: max(x, 0) - x y + log1p(exp(-abs(x)))."""

    def softplus(self, x):
        return torch.where(x > 0, x, 0.0) + torch.log1p(torch.exp(-torch.where(x > 0, x, -x)))


class LogitsByLogsigmoid(LogitsBySoftplus):
    """Both logarithms as the documentation writes them."""

    def softplus(self, x):
        return -functional.logsigmoid(-x)

    def entropy(self, x, y):
        p = 1.0 if self.pos_weight is None else self.pos_weight
        return -(p * y * functional.logsigmoid(x) + (1 - y) * functional.logsigmoid(-x))


class ManyLabels(Loss):
    """The mean over the classes of torch's own loss of one."""

    def __init__(self, weight=None, size_average=None, reduce=None, reduction="mean"):
        super().__init__(size_average, reduce, reduction)
        self.weight = weight

    def losses(self, x, y):
        each = functional.binary_cross_entropy_with_logits(x, y, reduction="none")
        return (each if self.weight is None else each * self.weight).mean(-1)


class NormalDensity(Loss):
    """The exponent and the logarithm apart, by the standard deviation; the clamp out of the sight of the derivative."""

    def __init__(self, *, full=False, eps=1e-6, reduction="mean"):
        super().__init__(reduction=reduction, full=full, eps=eps)

    def losses(self, x, t, var):
        if isinstance(var, float):
            var = torch.full_like(x, var)
        elif var.shape == x.shape[:-1]:
            var = var.unsqueeze(-1)
        var = torch.where(var < self.eps, var + (self.eps - var).detach(), var)
        z = (x - t) / var.sqrt()
        losses = 0.5 * z * z + torch.log(var) / 2
        return losses + math.log(math.sqrt(2 * math.pi)) if self.full else losses


class TripletByRelu(Loss):
    """relu; the distances in another order."""

    def __init__(self, *, distance_function=None, margin=1.0, swap=False, reduction="mean"):
        super().__init__(reduction=reduction, margin=margin, swap=swap)
        self.distance = distance_function or torch.nn.PairwiseDistance()

    def losses(self, a, p, n):
        far = self.distance(a, n)
        far = torch.minimum(self.distance(p, n), far) if self.swap else far
        return functional.relu(self.margin - far + self.distance(a, p))


class AdaptiveByAllClasses(torch.nn.Module):
    """The log-probability of every class of every row, and the target's taken from it; same parameters, same names."""

    def __init__(self, in_features, n_classes, cutoffs, div_value=4.0, head_bias=False, device=None, dtype=None):
        super().__init__()
        like = {"device": device, "dtype": dtype}
        self.first, ends = cutoffs[0], [*cutoffs, n_classes]
        self.head = torch.nn.Linear(in_features, cutoffs[0] + len(cutoffs), bias=head_bias, **like)
        self.tail = torch.nn.ModuleList()
        for i, (start, stop) in enumerate(itertools.pairwise(ends)):
            width = int(in_features // div_value ** (i + 1))
            layers = (
                torch.nn.Linear(in_features, width, bias=False, **like),
                torch.nn.Linear(width, stop - start, False, **like),
            )
            self.tail.append(torch.nn.Sequential(*layers))

    def forward(self, x, y):
        head = torch.log_softmax(self.head(x), -1)
        parts = [head[..., : self.first]]
        for i, cluster in enumerate(self.tail):
            parts.append(head[..., self.first + i, None] + torch.log_softmax(cluster(x), -1))
        output = torch.cat(parts, -1).gather(-1, y.unsqueeze(-1)).squeeze(-1)
        return Likelihood(output, -output.mean())


class Likelihood:
    """An answer of two fields that is no tuple."""

    def __init__(self, output, loss):
        self.output, self.loss = output, loss


class LinearThenEntropy(torch.nn.Module):
    """A matrix product, and torch's cross entropy of it."""

    def __init__(
        self, in_features, num_classes, *, out_features=(), bias=False, device=None, dtype=None, reduction="mean", weight=None,
        ignore_index=None, label_smoothing=0.0, options=None,
    ):  # fmt: skip
        super().__init__()
        outputs = num_classes * math.prod(out_features)
        self.linear = torch.nn.Linear(in_features, outputs, bias=bias, device=device, dtype=dtype)
        self.shape = (num_classes, *out_features)
        ignored = -100 if ignore_index is None else ignore_index
        self.how = {"weight": weight, "reduction": reduction, "ignore_index": ignored, "label_smoothing": label_smoothing}

    def forward(self, x, y):
        logits = torch.einsum("...d,cd->...c", x, self.linear.weight)
        logits = logits if self.linear.bias is None else self.linear.bias + logits
        return functional.cross_entropy(logits.reshape(*x.shape[:-1], *self.shape), y, **self.how)


class AlignmentByStates(torch.nn.Module):
    """One state after another of one sequence after another, the derivative by autograd."""

    def __init__(self, blank=0, reduction="mean", zero_infinity=False):
        super().__init__()
        self.blank, self.reduction, self.zero_infinity = blank, reduction, zero_infinity

    def forward(self, log_probs, targets, input_lengths, target_lengths):
        every = log_probs if log_probs.ndim == 3 else log_probs[:, None]
        frames, lengths = (torch.as_tensor(n).reshape(-1).tolist() for n in (input_lengths, target_lengths))
        if targets.ndim == 1:
            targets = targets[: sum(lengths)].split(lengths)
        rows = zip(every.unbind(1), targets, frames, lengths, strict=True)
        found = torch.stack([self.one(x[:count], y[:length].tolist()) for x, y, count, length in rows])
        if self.zero_infinity:
            found = torch.where(found == torch.inf, 0.0, found)
        if self.reduction == "mean":
            return (found / torch.tensor(lengths).clamp(min=1)).mean()
        return found.sum() if self.reduction == "sum" else found.reshape(log_probs.shape[1:-1])

    def one(self, log_probs, target):
        states = [self.blank, *(s for label in target for s in (label, self.blank))]
        zero = log_probs[:0].sum()
        alpha = [zero] + [None] * (len(states) - 1)
        for frame in log_probs:
            alpha = [self.enter(alpha, states, k, frame[state]) for k, state in enumerate(states)]
        total = self.together(alpha[-2:])
        return zero + torch.inf if total is None else -total

    def enter(self, alpha, states, k, emitted):
        jumps = k > 1 and states[k] not in (self.blank, states[k - 2])
        before = self.together(alpha[max(k - 1 - jumps, 0) : k + 1])
        return None if before is None or emitted == -torch.inf else before + emitted

    def together(self, ways):
        """The logarithm of the sum; None stands for the probability 0."""
        possible = [way for way in ways if way is not None]
        return torch.logsumexp(torch.stack(possible), 0) if possible else None


LOSSES = {
    HuberByClamp: "HuberLoss",
    LikelihoodByMask: "NLLLoss",
    LogitsBySoftplus: "BCEWithLogitsLoss",
    LogitsByMaximum: "BCEWithLogitsLoss",
    LogitsByLogsigmoid: "BCEWithLogitsLoss",
    ManyLabels: "MultiLabelSoftMarginLoss",
    NormalDensity: "GaussianNLLLoss",
    TripletByRelu: "TripletMarginWithDistanceLoss",
    AdaptiveByAllClasses: "AdaptiveLogSoftmaxWithLoss",
    LinearThenEntropy: "LinearCrossEntropyLoss",
    AlignmentByStates: "CTCLoss",
}
