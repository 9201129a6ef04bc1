"""The document's examples with random inputs: the shapes are its own, the numbers come from a seed of their own."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import torch
from torch import Tensor

from benchkit.document import stream


class Example(NamedTuple):
    """The arguments of a loss, which of them is its input, and along which axis each one runs over the batch."""

    arguments: tuple[Tensor, ...]
    batch_axes: tuple[int, ...]

    @property
    def input(self) -> Tensor:
        return self.arguments[0]


Draw = Callable[[torch.Generator, int], Example]


def normal(g: torch.Generator, *size: int) -> Tensor:
    return torch.randn(size, generator=g, dtype=torch.float64)


def whole(g: torch.Generator, low: int, high: int, *size: int) -> Tensor:
    """Whole numbers from ``low`` to ``high - 1``."""
    return torch.randint(low, high, size, generator=g)


def signs(g: torch.Generator, *size: int) -> Tensor:
    return normal(g, *size).sign()


def _pairs(*inner: int) -> Draw:
    return lambda g, n: Example((normal(g, n, *inner), normal(g, n, *inner)), (0, 0))


def _ctc(g: torch.Generator, n: int) -> Example:
    """The padded form: 50 frames, 20 classes of which 0 is the blank, targets of 10 to 30 labels, all frames used."""
    log_probs = normal(g, 50, n, 20).log_softmax(2)
    lengths = torch.full((n,), 50), whole(g, 10, 30, n)
    return Example((log_probs, whole(g, 1, 20, n, 30), *lengths), (1, 0, 0, 0))


def unpadded_ctc(g: torch.Generator, n: int = 16) -> Example:
    """The same with targets of 1 to 49 labels, written one after another in one vector."""
    log_probs = normal(g, 50, n, 20).log_softmax(2)
    lengths = whole(g, 1, 50, n)
    return Example((log_probs, whole(g, 1, 20, int(lengths.sum())), torch.full((n,), 50), lengths), (1, 0, 0, 0))


def _distributions(g: torch.Generator, n: int) -> Example:
    return Example((normal(g, n, 5).log_softmax(1), normal(g, n, 5).softmax(1)), (0, 0))


EXAMPLES: dict[str, tuple[int, Draw]] = {  # the batch of the document's example, and how it is drawn
    "BCELoss": (3, lambda g, n: Example((normal(g, n).sigmoid(), whole(g, 0, 2, n).double()), (0, 0))),
    "CrossEntropyLoss": (3, lambda g, n: Example((normal(g, n, 5), whole(g, 0, 5, n)), (0, 0))),
    "L1Loss": (3, _pairs(5)),
    "MSELoss": (3, _pairs(5)),
    "SmoothL1Loss": (3, _pairs(5)),
    "PoissonNLLLoss": (5, _pairs(2)),
    "KLDivLoss": (2, _distributions),
    "MarginRankingLoss": (3, lambda g, n: Example((normal(g, n), normal(g, n), signs(g, n)), (0, 0, 0))),
    "MultiLabelMarginLoss": (1, lambda g, n: Example((normal(g, n, 4), torch.tensor([[3, 0, -1, 1]] * n)), (0, 0))),
    "SoftMarginLoss": (2, lambda g, n: Example((normal(g, n, 2), signs(g, n, 2)), (0, 0))),
    "MultiMarginLoss": (2, lambda g, n: Example((normal(g, n, 2), whole(g, 0, 2, n)), (0, 0))),
    "TripletMarginLoss": (100, lambda g, n: Example((normal(g, n, 128), normal(g, n, 128), normal(g, n, 128)), (0, 0, 0))),
    "HingeEmbeddingLoss": (1, lambda g, n: Example((normal(g, n, 3), signs(g, n, 3)), (0, 0))),
    "CosineEmbeddingLoss": (2, lambda g, n: Example((normal(g, n, 3), normal(g, n, 3), signs(g, n)), (0, 0, 0))),
    "CTCLoss": (16, _ctc),
}


def example(name: str, batch: int | None = None) -> Example:
    """The document's example of a loss, with another number of rows if asked for; always the same numbers."""
    rows, draw = EXAMPLES[name]
    return draw(torch.Generator().manual_seed(stream(name)), batch or rows)
