"""The floating-point formats under test: unit roundoff, range, and rounding of float64 numbers to them, in numpy alone."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Precision:
    """A binary floating-point format of ``bits`` significant bits (the hidden one counted) and largest exponent ``emax``.

    ``unit`` is the unit roundoff 2**-bits: the largest relative error of one correctly rounded operation. ``accumulator`` is
    the format in which sums of this one are accumulated (float32 for the half types, by the documentation of torch.sum
    and the practice of every accelerator library).
    """

    name: str
    bits: int
    emax: int

    @cached_property
    def unit(self) -> float:
        return 2.0**-self.bits

    @cached_property
    def largest(self) -> float:
        return float((2.0 - 2.0 ** (1 - self.bits)) * 2.0**self.emax)

    @cached_property
    def overflow(self) -> float:
        """The smallest magnitude that rounds to infinity; infinity itself for float64, whose numbers are held in float64."""
        return float("inf") if self.bits == 53 else (2.0 - self.unit) * 2.0**self.emax

    @cached_property
    def smallest_normal(self) -> float:
        return 2.0 ** (1 - self.emax)

    @cached_property
    def smallest_subnormal(self) -> float:
        return 2.0 ** (2 - self.emax - self.bits)

    @property
    def accumulator(self) -> Precision:
        return FLOAT32 if self.bits < 24 else self

    def round(self, x: object) -> Array:
        """Round float64 numbers to the nearest number of this format, ties to even, overflow to infinity."""
        a = np.asarray(x, dtype=np.float64)
        if self.bits == 53:
            return a
        with np.errstate(over="ignore", under="ignore", invalid="ignore"):
            if self.name == "float32":
                return a.astype(np.float32).astype(np.float64)
            if self.name == "float16":
                return a.astype(np.float16).astype(np.float64)
            # The spacing of the format's numbers around a is a power of two; rint on that grid is round-half-even.
            _, exponent = np.frexp(a)
            lowest = np.maximum(exponent, 2 - self.emax) - self.bits
            rounded = np.ldexp(np.rint(np.ldexp(a, -lowest)), lowest)
            return np.where(np.isfinite(a), np.where(np.abs(rounded) > self.largest, np.copysign(np.inf, a), rounded), a)

    def represents(self, x: object) -> NDArray[np.bool_]:
        """Tell which float64 numbers are numbers of this format."""
        a = np.asarray(x, dtype=np.float64)
        return np.asarray((self.round(a) == a) | np.isnan(a))


FLOAT64 = Precision("float64", 53, 1023)
FLOAT32 = Precision("float32", 24, 127)
BFLOAT16 = Precision("bfloat16", 8, 127)
FLOAT16 = Precision("float16", 11, 15)
PRECISIONS = {p.name: p for p in (FLOAT64, FLOAT32, BFLOAT16, FLOAT16)}
