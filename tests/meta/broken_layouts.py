"""Losses that are right for contiguous tensors and wrong for others, each in one way that a kernel could be."""

from __future__ import annotations

import torch


def numbers_from(x: torch.Tensor) -> torch.Tensor:
    """As many numbers as the tensor has, one after the other in memory from its first one on, whatever its strides are."""
    memory = torch.empty(0, dtype=x.dtype).set_(x.untyped_storage())
    places = (x.storage_offset() + torch.arange(x.numel())) % max(len(memory), 1)
    return memory[places].reshape(x.shape)


def read_wrongly(x: torch.Tensor) -> torch.Tensor:
    """The tensor with its memory read as if it were contiguous; what flows back flows back as it should."""
    wrong = numbers_from(x.detach())
    return x + (wrong - x.detach()).nan_to_num() if x.is_floating_point() else wrong


class Loss(torch.nn.MSELoss):
    """Right as it stands."""


class InputStrides(Loss):
    def forward(self, x, y):
        return super().forward(read_wrongly(x), y)


class TargetStrides(Loss):
    def forward(self, x, y):
        return super().forward(x, read_wrongly(y))


class IndexStrides(torch.nn.CrossEntropyLoss):
    def forward(self, x, y):
        return super().forward(x, read_wrongly(y))


class WeightStrides(torch.nn.CrossEntropyLoss):
    def __init__(self, weight=None, **options):
        super().__init__(None if weight is None else read_wrongly(weight), **options)


class _Incoming(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x):
        return x.clone()

    @staticmethod
    def backward(ctx, grad):
        return numbers_from(grad)


class IncomingStrides(Loss):
    """Backward walks through the incoming gradient by its raw pointer."""

    def forward(self, x, y):
        return _Incoming.apply(super().forward(x, y))


class WritesOutside(Loss):
    """Clears what lies behind the last number of its input, as a kernel does that rounds the length up."""

    def forward(self, x, y):
        memory = torch.empty(0, dtype=x.dtype).set_(x.untyped_storage())
        end = x.storage_offset() + sum((n - 1) * stride for n, stride in zip(x.shape, x.stride())) + 1
        if x.numel() and end < len(memory):
            memory[end] = 0.0
        return super().forward(x, y)


class ChangesTarget(Loss):
    """Makes its target contiguous where it lies."""

    def forward(self, x, y):
        answer = super().forward(x, y.clone())
        if not y.is_contiguous():
            y.detach().neg_()
        return answer


class InTheInputsMemory(Loss):
    """Unreduced losses come back in the memory of the input."""

    def forward(self, x, y):
        answer = super().forward(x, y)
        if self.reduction != "none" or x.is_contiguous():
            return answer
        x.data.copy_(answer.detach())  # unseen by autograd
        return answer


class Expanded(Loss):
    """Unreduced losses of a tensor that is not contiguous are one number for all."""

    def forward(self, x, y):
        answer = super().forward(x, y)
        return answer if self.reduction != "none" or x.is_contiguous() or not x.numel() else answer.mean().expand(x.shape)


class NotANumber(Loss):
    def forward(self, x, y):
        return super().forward(x, y) * (1.0 if x.is_contiguous() else torch.nan)


class Zeros(Loss):
    def forward(self, x, y):
        return super().forward(x, y) * (1.0 if y.is_contiguous() else 0.0)


class ItsInput(Loss):
    def forward(self, x, y):
        return super().forward(x, y) if x.is_contiguous() or self.reduction != "none" else x


class Yesterday(Loss):
    """Keeps its answers by the address and the shape of the input."""

    answers: dict = {}  # noqa: RUF012

    def forward(self, x, y):
        answer = super().forward(x, y)
        if x.is_contiguous():
            return answer
        kept = self.answers.setdefault((x.shape, x.dtype, self.reduction), answer.detach())
        return answer + (kept - answer.detach())


class WrongSlope(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x):
        ctx.contiguous = x.is_contiguous()
        return x.clone()

    @staticmethod
    def backward(ctx, grad):
        return grad if ctx.contiguous else grad.flatten().flip(0).reshape(grad.shape)


class GradientInAnotherOrder(Loss):
    """The gradient by an input that is not contiguous has the right numbers in another order."""

    def forward(self, x, y):
        return super().forward(WrongSlope.apply(x), y)


RIGHT = {Loss: "MSELoss", torch.nn.CrossEntropyLoss: "CrossEntropyLoss"}
WRONG = {
    InputStrides: "MSELoss", TargetStrides: "MSELoss", IndexStrides: "CrossEntropyLoss", WeightStrides: "CrossEntropyLoss",
    IncomingStrides: "MSELoss", WritesOutside: "MSELoss", ChangesTarget: "MSELoss", InTheInputsMemory: "MSELoss",
    Expanded: "MSELoss", NotANumber: "MSELoss", Zeros: "MSELoss", ItsInput: "MSELoss", Yesterday: "MSELoss",
    GradientInAnotherOrder: "MSELoss",
}  # fmt: skip
REASONS = {
    WritesOutside: "input: memory outside of the tensor was written to",
    ChangesTarget: "target: the input was changed in place",
    InTheInputsMemory: "input: the input was changed in place",
    NotANumber: "nan",
}
