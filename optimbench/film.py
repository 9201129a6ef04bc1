"""What an optimizer holds between its steps: looked at as the run goes on, and brought to the host all at once at its end."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchkit.precision import FLOAT64, PRECISIONS, Precision

Array = NDArray[Any]
NOTHING: Mapping[str, Any] = {}


@dataclass
class Stored:
    """One tensor of a state as numbers, and the format that holds it; ``value`` is None for an empty slot."""

    value: Array | None
    precision: Precision


States = list[dict[str, Stored]]


@dataclass
class Stretch:
    """Looks in a row that found tensors of the same names, formats and shapes.

    For each parameter, entry of its state and gradient the float64 numbers of all looks, along the first dimension. An entry
    that is no tensor has the format float64. A complex tensor has its real and imaginary parts along one more dimension.
    """

    count: int
    parameters: list[Array]
    states: list[dict[str, tuple[Array | None, Precision]]]
    gradients: list[Array | None]

    def rows(self) -> Iterator[tuple[list[Array], States]]:
        """The parameters and states of one look after the other."""
        parameters = list(zip(*map(apart, self.parameters), strict=True))
        states: list[States] = [[{} for _ in self.states] for _ in range(self.count)]
        for number, state in enumerate(self.states):
            for name, (column, precision) in state.items():
                rows = [None] * self.count if column is None else apart(column)
                for found, row in zip(states, rows, strict=True):
                    found[number][name] = Stored(row, precision)
        for values, found in zip(parameters, states, strict=True):
            yield list(values), found


def apart(column: Array) -> list[Array]:
    """The arrays of a stack; iterating over one of numbers would give no arrays."""
    return list(column) if column.ndim > 1 else [np.asarray(x) for x in column]


class Film:
    """Parameters, their gradients and what an optimizer keeps of them, seen in many looks.

    A look copies them on their device, those of one format in one go; ``developed`` brings all looks to the host.
    """

    def __init__(self, parameters: Sequence[Any], optimizer: Any) -> None:
        import torch

        self.parameters, self.optimizer, self.torch = list(parameters), optimizer, torch
        self.kinds: list[_Kind] = []  # for each look what it found,
        self.copies: list[list[Any]] = []  # the tensors end to end, those of one format together,
        self.plain: list[list[Any]] = []  # and the entries that are no tensors

    def look(self) -> None:
        """See what is there now; entries of a state that are neither tensors nor numbers are left out."""
        tensors, names, plain = list(self.parameters), [], []
        state_of, tensor = self.optimizer.state.get, self.torch.Tensor
        for number, p in enumerate(self.parameters):
            for name, value in state_of(p, NOTHING).items():
                if isinstance(value, tensor):
                    tensors.append(value)
                    names.append((number, name))
                elif value is None or isinstance(value, (int, float)):
                    plain.append((number, name, value))
        gradients = [p.grad for p in self.parameters]
        tensors += [g for g in gradients if g is not None]
        found = (
            names,
            [(number, name, value is None) for number, name, value in plain],
            [number for number, g in enumerate(gradients) if g is not None],
            [(t.dtype, t.shape, t.device, t.layout) for t in tensors],
        )
        if not self.kinds or self.kinds[-1].found != found:
            self.kinds.append(_Kind(found))
        else:
            self.kinds.append(self.kinds[-1])
        with self.torch.no_grad():
            self.copies.append(self.kinds[-1].copy(tensors))
        self.plain.append([value for _, _, value in plain])

    def developed(self) -> list[Stretch]:
        """All looks."""
        ends = [i for i in range(1, len(self.kinds)) if self.kinds[i] is not self.kinds[i - 1]]
        return [
            self.kinds[start].stretch(len(self.parameters), self.copies[start:end], self.plain[start:end])
            for start, end in zip([0, *ends], [*ends, len(self.kinds)], strict=True)
        ]


class _Kind:
    """What tensors a look found, and which of them are copied together."""

    def __init__(self, found: tuple[list[Any], list[Any], list[int], list[Any]]) -> None:
        self.found = found
        self.together: dict[Any, list[int]] = {}  # those of one format and device
        for i, (dtype, _, device, _) in enumerate(found[3]):
            self.together.setdefault((device, dtype), []).append(i)

    def copy(self, tensors: Sequence[Any]) -> list[Any]:
        """The tensors end to end, in memory of their own."""
        import torch

        copies = []
        for (_, dtype), indices in self.together.items():
            alike = [tensors[i] for i in indices]
            if any(self.found[3][i][3] is not torch.strided for i in indices):
                alike = [t.to_dense() for t in alike]
            if dtype.is_complex:
                alike = [torch.view_as_real(t.resolve_conj()) for t in alike]
            copies.append(torch.cat([t.reshape(-1) for t in alike]))
        return copies

    def stretch(self, count: int, copies: Sequence[Sequence[Any]], plain: Sequence[Sequence[Any]]) -> Stretch:
        """What looks of this kind, at ``count`` parameters, have seen."""
        import torch

        names, plain_names, graded, forms = self.found
        columns: list[Any] = [None] * len(forms)
        for ((_, dtype), indices), parts in zip(self.together.items(), zip(*copies, strict=True), strict=True):
            block, start = torch.stack(parts).to("cpu", torch.float64).numpy(), 0
            for i in indices:
                shape = (*forms[i][1], 2) if dtype.is_complex else tuple(forms[i][1])
                size = math.prod(shape)
                columns[i] = block[:, start : start + size].reshape(len(copies), *shape)
                start += size
        states: list[dict[str, tuple[Array | None, Precision]]] = [{} for _ in range(count)]
        for (number, name, empty), *values in zip(plain_names, *plain, strict=True):
            states[number][name] = (None if empty else np.array(values, dtype=np.float64), FLOAT64)
        for (number, name), column, (dtype, *_) in zip(names, columns[count:], forms[count:], strict=False):
            real = dtype.to_real() if dtype.is_complex else dtype
            states[number][name] = (column, PRECISIONS.get(str(real).removeprefix("torch."), FLOAT64))
        gradients: list[Array | None] = [None] * count
        for number, column in zip(graded, columns[count + len(names) :], strict=True):
            gradients[number] = column
        return Stretch(len(copies), columns[:count], states, gradients)


def look(parameters: Sequence[Any], optimizer: Any) -> tuple[list[Array], States, list[Array | None]]:
    """Values, states and gradients of parameters now."""
    film = Film(parameters, optimizer)
    film.look()
    (stretch,) = film.developed()
    (row,) = stretch.rows()
    return *row, [None if column is None else apart(column)[0] for column in stretch.gradients]
