"""Python text for reproducers: scripts that need torch alone and hold their numbers as hex floats, so that none is lost."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

HEAD = '''"""{title}

Made by {suite}. Exit status 1 while the difference is there, 0 once it is gone.
"""

import sys

import torch

F = float.fromhex  # numbers are written as hex floats
inf, nan = float("inf"), float("nan")

'''

RAN_THROUGH = """
print("no exception was raised: the difference is gone")
sys.exit(0)
"""

TAIL = """
got = float(got)
print(f"torch {torch.__version__}: {what} is {got!r}, but should be {should!r}, give or take {allowed:.3g}")
same = got == should or (got != got and should != should) or abs(got - should) <= allowed
sys.exit(0 if same else 1)
"""


def number(x: float) -> str:
    """A number as an expression."""
    x = float(x)
    if math.isnan(x):
        return "nan"
    if math.isinf(x):
        return "inf" if x > 0 else "-inf"
    return repr(x) if x == round(x, 4) and abs(x) < 1e6 else f'F("{x.hex()}")'


def tensor(array: NDArray[Any], dtype: str) -> str:
    """An array as an expression that makes a tensor of ``dtype`` with these very numbers."""
    flat = [number(x) if np.issubdtype(array.dtype, np.floating) else str(int(x)) for x in array.ravel()]
    listed = f"[{', '.join(flat)}]"
    if array.ndim == 0:
        listed = flat[0]
    shape = f".reshape({', '.join(map(str, array.shape))})" if array.ndim > 1 or array.size == 0 else ""
    first = "float64" if np.issubdtype(array.dtype, np.floating) else dtype
    cast = "" if first == dtype else f".to(torch.{dtype})"
    return f"torch.tensor({listed}, dtype=torch.{first}){shape}{cast}"


def element(name: str, index: tuple[int, ...]) -> str:
    """One element of a tensor as an expression."""
    return f"{name}[{', '.join(map(str, index))}]" if index else name


def constructor(path: str, impl: str | None) -> tuple[str, str]:
    """The import line and the expression of the class under test."""
    if impl is None:
        return "", path
    module, _, attribute = impl.partition(":")
    return f"import {module}\n\n", f"{module}.{attribute}"


def verdict(what: str, expression: str, expected: float, allowed: float) -> str:
    """The end of a reproducer: what it looks at, what it should be, and the exit status."""
    return f"got = {expression}\nwhat, should, allowed = {what!r}, {number(expected)}, {number(allowed)}\n" + TAIL
