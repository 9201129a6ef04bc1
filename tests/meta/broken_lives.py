"""Optimizers that are right in every ordinary step, and wrong in one event of their life: each must fail in its scenario.

``WRONG`` maps each to the torch class in whose place it stands, the scenario that must refuse it and the format that shows it.
"""

from __future__ import annotations

import copy

import torch
from meta import broken
from torch.optim.optimizer import Optimizer as Base


class Optimizer(broken.Optimizer):
    """Adam that takes a closure."""

    def step(self, closure=None):
        loss = None
        if closure is not None:
            with torch.enable_grad():
                loss = closure()
        super().step()
        return loss


class LossDropped(Optimizer):
    def step(self, closure=None):
        super().step(closure)


class ClosureWithoutAutograd(Optimizer):
    """The closure is evaluated as part of a step that has gradients disabled."""

    @torch.no_grad()
    def step(self, closure=None):
        loss = closure() if closure else None
        broken.Optimizer.step(self)
        return loss


class ClosureTwice(Optimizer):
    def step(self, closure=None):
        if closure is not None:
            closure()
        return super().step(closure)


class ClosureTooLate(Optimizer):
    """The step is made by the gradients from before the closure."""

    def step(self, closure=None):
        broken.Optimizer.step(self)
        return closure() if closure else None


class ExceptionLost(Optimizer):
    def step(self, closure=None):
        try:
            return super().step(closure)
        except KeyError:
            return None


class StepsWithoutLoss(Optimizer):
    """A closure that raises leaves the counter one step ahead."""

    def step(self, closure=None):
        try:
            return super().step(closure)
        except KeyError:
            for state in self.state.values():
                state["step"] += 1
            raise


class NanLossSkipped(Optimizer):
    """No step is made where the loss is NaN."""

    def step(self, closure=None):
        loss = closure() if closure else None
        if loss is None or not torch.isnan(loss):
            super().step()
        return loss


class GradientsStayDisabled(Optimizer):
    def step(self, closure=None):
        loss = super().step(closure)
        torch.set_grad_enabled(closure is None and torch.is_grad_enabled())
        return loss


class RateOfTheConstructor(Optimizer):
    """The learning rate is read once."""

    def chosen(self):
        return [({**group, "lr": self.defaults["lr"]}, p) for group, p in super().chosen()]


class DecaysOfTheConstructor(Optimizer):
    """What a scheduler writes into betas is not read."""

    def chosen(self):
        return [({**group, "betas": self.defaults["betas"]}, p) for group, p in super().chosen()]


class StateLostWithNewGroup(Optimizer):
    """Whoever adds a group starts anew."""

    def add_param_group(self, param_group):
        super().add_param_group(param_group)
        self.state.clear()


class NewGroupForgotten(Optimizer):
    """Only the groups of the constructor are stepped."""

    def __init__(self, *args, **options):
        super().__init__(*args, **options)
        self.known = len(self.param_groups)

    def chosen(self):
        groups = self.param_groups[: getattr(self, "known", None)]
        return [(group, p) for group, p in super().chosen() if any(group is one for one in groups)]


class CounterOfTheOptimizer(Optimizer):
    """New parameters take the count of the steps that the optimizer has made."""

    def memory(self, p):
        known = p in self.state and self.state[p]
        state = super().memory(p)
        if not known:
            state["step"] += max(float(other["step"]) for other in self.state.values())
        return state


class ZeroGradientsSkipped(Optimizer):
    """A gradient of zeros is taken for none."""

    def chosen(self):
        return [(group, p) for group, p in super().chosen() if bool(p.grad.any())]


class CounterInParameterFormat(Optimizer):
    """In bfloat16 the count stops at 256."""

    def memory(self, p):
        state = super().memory(p)
        state["step"] = state["step"].to(p.dtype)
        return state


class GradientsKept(Optimizer):
    """zero_grad fills with zeros whatever it is asked for."""

    def zero_grad(self, set_to_none=True):
        super().zero_grad(set_to_none=False)


class CounterNotSaved(Optimizer):
    def state_dict(self):
        saved = copy.deepcopy(super().state_dict())
        for state in saved["state"].values():
            state["step"] = torch.zeros(())
        return saved


class MomentsNotLoaded(Optimizer):
    def load_state_dict(self, state_dict):
        super().load_state_dict(state_dict)
        self.state.clear()


class OptionsNotLoaded(Optimizer):
    """The state is taken over, the options of the groups stay the constructor's."""

    def load_state_dict(self, state_dict):
        own = [{n: v for n, v in group.items() if n != "params"} for group in self.param_groups]
        super().load_state_dict(state_dict)
        for group, options in zip(self.param_groups, own, strict=True):
            group.update(options)


class LoadsRounded(Optimizer):
    """What is loaded went through half precision."""

    def load_state_dict(self, state_dict):
        rounded = copy.deepcopy(state_dict)
        for state in rounded["state"].values():
            for name in ("exp_avg", "exp_avg_sq"):
                state[name] = state[name].bfloat16()
        super().load_state_dict(rounded)


class LoadsInSavedFormat(Optimizer):
    """What was saved beside float32 parameters stays in float32 beside bfloat16 ones."""

    def load_state_dict(self, state_dict):
        Base.load_state_dict(self, state_dict)
        saved = list(state_dict["state"].values())
        for state, old in zip(self.state.values(), saved, strict=True):
            state["exp_avg"] = old["exp_avg"].clone()


class LoadsOneStepBack(Optimizer):
    """The counter of a loaded state begins one step early."""

    def load_state_dict(self, state_dict):
        super().load_state_dict(copy.deepcopy(state_dict))
        for state in self.state.values():
            state["step"] -= 1


class CopiesWithoutState(Optimizer):
    """A copy of the optimizer has none of its memory."""

    def __getstate__(self):
        return {**super().__getstate__(), "state": type(self.state)(dict)}


class RawMemory(Optimizer):
    """A loaded moment is read in the order in which it lies in memory."""

    def memory(self, p):
        state = super().memory(p)
        flat = state["exp_avg"]
        if not flat.is_contiguous() and flat.dim() == 2:
            state["exp_avg"] = flat.t().contiguous().reshape(flat.shape)
        return state


class FormatOfTheFirst(Optimizer):
    """All gradients of a group are rounded to the format of its first parameter."""

    def gradient(self, group, p):
        return super().gradient(group, p).to(group["params"][0].dtype).to(p.dtype)


class SwitchesModes(Optimizer):
    """Under no_grad the second moment is not kept up."""

    def step(self, closure=None):
        kept = {p: self.state[p]["exp_avg_sq"].clone() for p in self.state if self.state[p]}
        loss = super().step(closure)
        if not torch.is_grad_enabled():
            for p, moment in kept.items():
                self.state[p]["exp_avg_sq"] = moment
        return loss


class SplitsUnevenly(Optimizer):
    """The last element of a long parameter is left to nobody."""

    @torch.no_grad()
    def step(self, closure=None):
        long = [(p, p[-1].clone()) for group in self.param_groups for p in group["params"] if p.numel() > 10_000]
        loss = super().step(closure)
        for p, last in long:
            p[-1] = last
        return loss


class ComplexSquare(torch.optim.Adam):
    """The second moment of a complex parameter is the mean of g * g, and not of the squares of its parts (is_complex)."""

    @torch.no_grad()
    def step(self, closure=None):
        before = {p: p.grad for group in self.param_groups for p in group["params"] if p.grad is not None}
        for p, gradient in before.items():
            if torch.is_complex(p):
                p.grad = torch.complex(gradient.abs(), torch.zeros_like(gradient.real))
        loss = super().step(closure)
        for p, gradient in before.items():
            p.grad = gradient
        return loss


class RowsNotAdded(torch.optim.SGD):
    """Of a row that a sparse gradient stores twice, only the last one counts."""

    @torch.no_grad()
    def step(self, closure=None):
        for group in self.param_groups:
            for p in group["params"]:
                if p.grad is not None and p.grad.is_sparse and not p.grad.is_coalesced():
                    dense = torch.zeros_like(p)
                    for row, value in zip(p.grad._indices()[0], p.grad._values(), strict=True):
                        dense[row] = value
                    p.grad = dense.to_sparse(1)
        return super().step(closure)


ADAM = {
    LossDropped: "closure",
    ClosureWithoutAutograd: "closure",
    ClosureTwice: "closure",
    ClosureTooLate: "closure",
    NanLossSkipped: "closure",
    GradientsStayDisabled: "closure",
    ExceptionLost: "raising_closure",
    StepsWithoutLoss: "raising_closure",
    RateOfTheConstructor: "scheduled_options",
    DecaysOfTheConstructor: "scheduled_options",
    StateLostWithNewGroup: "added_group",
    NewGroupForgotten: "added_group",
    CounterOfTheOptimizer: "added_group",
    ZeroGradientsSkipped: "zero_grad",
    GradientsKept: "zero_grad",
    CounterNotSaved: "saved_and_loaded",
    MomentsNotLoaded: "saved_and_loaded",
    OptionsNotLoaded: "saved_and_loaded",
    LoadsRounded: "saved_and_loaded",
    LoadsOneStepBack: "saved_and_loaded",
    LoadsInSavedFormat: "loaded_into_other_format",
    CopiesWithoutState: "copied",
    RawMemory: "loaded_in_other_layout",
    FormatOfTheFirst: "mixed_formats",
    SwitchesModes: "without_autograd",
    SplitsUnevenly: "many_elements",
}
WRONG = {c: ("Adam", name, "float32") for c, name in ADAM.items()} | {
    CounterInParameterFormat: ("Adam", "long_runs", "bfloat16"),
    ComplexSquare: ("Adam", "complex_parameters", "float32"),
    RowsNotAdded: ("SGD", "sparse_gradients", "float32"),
}
