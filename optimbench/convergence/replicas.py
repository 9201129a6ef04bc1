"""Replicas of a model whose parameters lie in one tensor, and the optimizer that steps them.

The parameters of R replicas are stacked to (R, ...). The objective is evaluated on the stack, and the optimizer holds leaves
that share its memory: on the path ``stack`` one leaf for all replicas of a setting, on the path ``views`` one for each
replica; on the paths ``loop`` and ``closure`` there is one replica alone. A setting (a learning rate, and what else is tuned)
is a param group.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any, NamedTuple

import torch

from optimbench.convergence import contenders
from optimbench.convergence.trajectory import Contender, Setting

STACK, VIEWS, LOOP, CLOSURE = "stack", "views", "loop", "closure"
PATHS = (STACK, VIEWS, LOOP, CLOSURE)
ALONE = (LOOP, CLOSURE)


class Leaf(NamedTuple):
    """One tensor that the optimizer holds, and the rows of a stacked parameter that it shares."""

    tensor: torch.Tensor
    name: str
    rows: slice


class Replicas:
    """R = settings * seeds replicas, those of the first setting first, stacked from ``starts`` (R, ...).

    ``parameters`` are the stacked tensors; ``hand_over`` hands the optimizer its gradients, where ``sparse`` is true in
    sparse form, by rows for the parameters among ``tables``. ``foreach`` asks for torch's implementation for many tensors at
    once, which the path ``views`` has always. Unsuitable where the optimizer cannot be made on these.
    """

    def __init__(
        self,
        contender: Contender,
        settings: Sequence[Setting],
        starts: Mapping[str, torch.Tensor],
        path: str,
        sparse: bool = False,
        tables: Collection[str] = (),
        foreach: bool = False,
    ) -> None:
        self.parameters = {name: start.clone().requires_grad_() for name, start in starts.items()}
        self.sparse, self.tables, self.stacked = sparse, tables, path == STACK
        self.count = len(next(iter(starts.values())))
        self.each = self.count // len(settings)  # replicas of a setting
        groups: list[dict[str, Any]] = []
        self.leaves: list[Leaf] = []
        for number, setting in enumerate(settings):
            members = self._leaves(range(number * self.each, (number + 1) * self.each))
            self.leaves += members
            groups.append({"params": [leaf.tensor for leaf in members], **setting})
        self._by_name = {name: [leaf for leaf in self.leaves if leaf.name == name] for name in starts}
        self._places = [leaf.tensor.data_ptr() for leaf in self.leaves]
        switches = {"foreach": True} if foreach or path == VIEWS else {}
        self.optimizer = contenders.build(contender, groups, **switches)
        # What torch's own do in a step is never differentiated; of a user's class nobody knows.
        self.mode: Callable[[], Any] = torch.inference_mode if contenders.declared(contender) else contextlib.nullcontext

    def _leaves(self, rows: range) -> list[Leaf]:
        parts = [slice(rows.start, rows.stop)] if self.stacked else [slice(row, row + 1) for row in rows]
        found = []
        for part in parts:
            for name, parameter in self.parameters.items():
                shared = parameter.detach()[part] if self.stacked else parameter.detach()[part.start]
                if self.sparse and name not in self.tables:
                    # Elements are stored one by one, with one index for each, which is the least. They are rows of one element:
                    # to a vector that begins in the midst of its memory torch adds single elements in the wrong place.
                    shared = shared.reshape(-1, 1)
                elif self.sparse and self.stacked:
                    shared = shared.flatten(0, 1)  # a stack of tables is a longer table: the rows of each at an offset
                found.append(Leaf(shared.requires_grad_(), name, part))
        return found

    def hand_over(self, gradients: Mapping[str, torch.Tensor], touched: Mapping[str, torch.Tensor] | None = None) -> None:
        """Give every leaf its part of the gradients (R, ...); ``touched`` holds (R, n) rows of the tables among them."""
        for name, leaves in self._by_name.items():
            gradient = gradients[name]
            if self.sparse:
                rows = (touched or {}).get(name)
                for leaf in leaves:
                    some = None if rows is None else rows[leaf.rows]
                    leaf.tensor.grad = in_sparse_form(gradient[leaf.rows], some, leaf.tensor.shape)
            else:
                for leaf, part in zip(leaves, gradient.split(self.each) if self.stacked else gradient.unbind()):
                    leaf.tensor.grad = part

    def step(self, closure: Callable[[], Any] | None = None) -> None:
        """Let the optimizer step, and bring home what it has moved to other memory."""
        with self.mode():
            self.optimizer.step() if closure is None else self.optimizer.step(closure)
        for leaf, place in zip(self.leaves, self._places):
            if leaf.tensor.data_ptr() != place:
                with torch.no_grad():
                    home = self.parameters[leaf.name][leaf.rows]
                    home.copy_(leaf.tensor.view(home.shape))


def in_sparse_form(gradient: torch.Tensor, touched: torch.Tensor | None, shape: Sequence[int]) -> torch.Tensor:
    """The gradient (n, ...) of n replicas as a sparse tensor of the given shape.

    With ``touched`` (n, m), rows of tables, the touched rows are stored whole, as an embedding stores them; else each element
    that is not zero.
    """
    if touched is None:
        flat = gradient.reshape(shape)
        there = flat.nonzero()[:, 0]
        return torch.sparse_coo_tensor(
            there[None], flat.index_select(0, there), tuple(shape), is_coalesced=True, check_invariants=False
        )
    table = gradient.shape[1]
    offsets = torch.arange(len(gradient), device=gradient.device)[:, None] * table
    rows = torch.unique(touched + offsets)
    values = gradient.flatten(0, 1)[rows]
    return torch.sparse_coo_tensor(rows[None], values, tuple(shape), is_coalesced=True, check_invariants=False)
