"""Arrays that are drawn once for all optimizers, and looked at again whenever they are used.

A worker trains for minutes in code of others, and once a stray write was seen in an order of examples that it had kept. What is
kept so long would spoil every later run in silence; so each use compares a checksum with that of the day it was drawn.
"""

from __future__ import annotations

import functools
import zlib
from collections import OrderedDict
from collections.abc import Callable, Hashable, Mapping
from typing import Any, TypeVar

import numpy as np

Value = TypeVar("Value", bound="np.ndarray[Any, Any] | Mapping[str, np.ndarray[Any, Any]]")


class WrittenOver(Exception):
    """An array that nobody may change has changed."""


def kept(most: int) -> Callable[[Callable[..., Value]], Callable[..., Value]]:
    """Decorator: remember the last ``most`` values, an array or arrays by name; WrittenOver where one is not what it was."""

    def decorate(draw: Callable[..., Value]) -> Callable[..., Value]:
        known: OrderedDict[Hashable, tuple[Value, int]] = OrderedDict()

        @functools.wraps(draw)
        def get(*key: Hashable) -> Value:
            if key in known:
                value, expected = known[key]
                known.move_to_end(key)
                if checksum(value) != expected:
                    del known[key]
                    raise WrittenOver(f"{draw.__name__.strip('_')} of {key[-1]} in the memory of this process was written over")
                return value
            value = draw(*key)
            known[key] = value, checksum(value)
            if len(known) > most:
                known.popitem(last=False)
            return value

        return get

    return decorate


def checksum(value: np.ndarray[Any, Any] | Mapping[str, np.ndarray[Any, Any]]) -> int:
    """Of the bytes of an array, or of arrays one after another."""
    total = 1
    for array in value.values() if isinstance(value, Mapping) else (value,):
        total = zlib.adler32(np.ascontiguousarray(array).view(np.uint8).data, total)
    return total
