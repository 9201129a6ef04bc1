"""The formulas of torch's losses and optimizers in plain numpy and scipy, one file for each class.

Nothing here imports torch or was written from its source: formulas come from the papers and from the documentation.
"""

from benchkit.spec import LOSSES, OPTIMIZERS
from reference import losses, optimizers

__all__ = ["LOSSES", "OPTIMIZERS", "losses", "optimizers"]
