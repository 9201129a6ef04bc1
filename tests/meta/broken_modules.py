"""Wrong losses of the kind that has parameters of its own or answers with several fields; each is wrong in one way."""

from __future__ import annotations

import torch
from torch.nn import AdaptiveLogSoftmaxWithLoss


class OtherParameter(AdaptiveLogSoftmaxWithLoss):
    """Has one parameter too many, which the declaration does not know."""

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.scale = torch.nn.Parameter(torch.ones(()))


class OneField(AdaptiveLogSoftmaxWithLoss):
    """Answers with the loss alone."""

    def forward(self, x, y):
        return super().forward(x, y).loss


class PositiveOutput(AdaptiveLogSoftmaxWithLoss):
    """Its output is the negative log-likelihood."""

    def forward(self, x, y):
        answer = super().forward(x, y)
        return answer._replace(output=-answer.output)


class FrozenTail(AdaptiveLogSoftmaxWithLoss):
    """Nothing flows to the first projection of a cluster."""

    def forward(self, x, y):
        first = [projection[0].weight for projection in self.tail]
        held = [weight.requires_grad for weight in first]
        for weight in first:
            weight.requires_grad_(False)
        answer = super().forward(x, y)
        for weight, requires in zip(first, held):
            weight.requires_grad_(requires)
        return answer


class TrainsItself(AdaptiveLogSoftmaxWithLoss):
    """Moves its own parameter while it answers."""

    def forward(self, x, y):
        answer = super().forward(x, y)
        with torch.no_grad():
            self.head.weight += 1.0
        return answer


class DetachesWeight(torch.nn.MultiLabelSoftMarginLoss):
    """Nothing flows to the class weights."""

    def __init__(self, weight=None, **options):
        super().__init__(None if weight is None else weight.detach(), **options)


LOSSES = {
    OtherParameter: "AdaptiveLogSoftmaxWithLoss",
    OneField: "AdaptiveLogSoftmaxWithLoss",
    PositiveOutput: "AdaptiveLogSoftmaxWithLoss",
    FrozenTail: "AdaptiveLogSoftmaxWithLoss",
    TrainsItself: "AdaptiveLogSoftmaxWithLoss",
    DetachesWeight: "MultiLabelSoftMarginLoss",
}
REASONS = {
    OtherParameter: ("forward", "raised TypeError: the module has the parameters"),
    OneField: ("forward", "returned Tensor without the field"),
    PositiveOutput: ("forward", "value"),
    FrozenTail: ("gradient", "no gradient flows to down_"),
    TrainsItself: ("forward", "head: the input was changed in place"),
    DetachesWeight: ("weights", "raised RuntimeError"),
}
