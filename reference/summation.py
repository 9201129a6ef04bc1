"""Sums as careless code makes them, for planted bugs."""

import numpy as np


def drifting_count(losses):
    """The denominator that makes of the exact sum the mean of a sum in float32 that adds one number after the other."""
    flat = np.ravel(losses)
    one_by_one = np.add.accumulate(flat.astype(np.float32))[-1:].astype(np.float64).sum()
    return flat.size * flat.sum() / one_by_one if one_by_one else float(flat.size)
