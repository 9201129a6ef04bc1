"""Replicas of a model whose parameters lie in one tensor, and the optimizer that steps them.

The parameters of R replicas are stacked to (R, ...). The objective is evaluated on the stack, and the optimizer holds leaves
that share its memory: on the path ``stack`` one leaf for all replicas of a setting, on the path ``views`` one for each
replica; on the paths ``loop`` and ``closure`` there is one replica alone. A setting (a learning rate, and what else is tuned)
is a param group.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any, NamedTuple

import torch

from optimbench.convergence import contenders
from optimbench.convergence.trajectory import Contender, Setting

STACK, VIEWS, LOOP, CLOSURE = "stack", "views", "loop", "closure"
PATHS = (STACK, VIEWS, LOOP, CLOSURE)
ALONE = (LOOP, CLOSURE)


class Leaf(NamedTuple):
    """One tensor that the optimizer holds: the rows of a stacked parameter that it shares, and whether rows are an axis."""

    tensor: torch.Tensor
    name: str
    rows: slice
    stacked: bool


class Replicas:
    """R = settings * seeds replicas, those of the first setting first, stacked from ``starts`` (R, ...).

    ``parameters`` are the stacked tensors, of which the objective is differentiated into ``gradients``; ``hand_over`` gives
    these to the optimizer, where ``sparse`` is true in sparse form, by rows for the parameters among ``tables``. ``foreach``
    asks for torch's implementation for many tensors at once, which the path ``views`` has always. Unsuitable where the
    optimizer cannot be made on these.
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
        self.gradients = {name: torch.zeros_like(start) for name, start in starts.items()}
        self.sparse, self.tables = sparse, tables
        self.count = len(next(iter(starts.values())))
        each = self.count // len(settings)
        groups: list[dict[str, Any]] = []
        self.leaves: list[Leaf] = []
        for number, setting in enumerate(settings):
            rows = range(number * each, (number + 1) * each)
            members = self._leaves(rows, path)
            self.leaves += members
            groups.append({"params": [leaf.tensor for leaf in members], **setting})
        self._parts = [self.gradients[leaf.name][leaf.rows if leaf.stacked else leaf.rows.start] for leaf in self.leaves]
        self._places = [leaf.tensor.data_ptr() for leaf in self.leaves]
        switches = {"foreach": True} if foreach or path == VIEWS else {}
        self.optimizer = contenders.build(contender, groups, **switches)

    def _leaves(self, rows: range, path: str) -> list[Leaf]:
        stacked = path == STACK
        parts = [slice(rows.start, rows.stop)] if stacked else [slice(row, row + 1) for row in rows]
        found = []
        for part in parts:
            for name, parameter in self.parameters.items():
                shared = parameter.detach()[part] if stacked else parameter.detach()[part.start]
                if self.sparse and name not in self.tables:
                    shared = shared.flatten()  # elements are stored one by one, and one index for each is the least
                elif self.sparse and stacked:
                    shared = shared.flatten(0, 1)  # a stack of tables is a longer table: the rows of each at an offset
                found.append(Leaf(shared.requires_grad_(), name, part, stacked))
        return found

    def clear(self) -> None:
        """Set the gradients to 0; backward passes add to the same memory, of which the leaves have their parts."""
        for name, parameter in self.parameters.items():
            parameter.grad = self.gradients[name].zero_()

    def hand_over(self, touched: Mapping[str, torch.Tensor] | None = None) -> None:
        """Give every leaf its part of the gradients; ``touched`` holds (R, n) rows of the tables among the parameters."""
        if not self.sparse:
            for leaf, part in zip(self.leaves, self._parts):
                leaf.tensor.grad = part
            return
        for leaf in self.leaves:
            rows = (touched or {}).get(leaf.name)
            part = self.gradients[leaf.name][leaf.rows]
            leaf.tensor.grad = in_sparse_form(part, None if rows is None else rows[leaf.rows], leaf.tensor.shape)

    def step(self, closure: Callable[[], Any] | None = None) -> None:
        """Let the optimizer step, and bring home what it has moved to other memory."""
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
        return gradient.reshape(shape).to_sparse()
    table = gradient.shape[1]
    offsets = torch.arange(len(gradient), device=gradient.device)[:, None] * table
    rows = torch.unique(touched + offsets)
    values = gradient.flatten(0, 1)[rows]
    return torch.sparse_coo_tensor(rows[None], values, tuple(shape), is_coalesced=True, check_invariants=False)
