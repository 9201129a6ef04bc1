"""Which arguments of a torch class its declaration covers, and with which values."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any

from benchkit.spec import Item

GIVEN = {"params", "device", "dtype"}  # what is worked on, where, and in which format: every case says so
SWITCHES = {"foreach", "fused", "capturable", "differentiable"}  # choose the implementation and leave the numbers alone
REDUCING = {"reduction", "size_average", "reduce"}  # how losses are put together: every case says so


def uncovered(item: Item, constructor: Callable[..., Any]) -> list[str]:
    """The arguments of torch's constructor of which the declaration knows nothing."""
    arguments = inspect.signature(constructor).parameters
    known = {*item.options, *GIVEN, *SWITCHES, *REDUCING}
    return [name for name, parameter in arguments.items() if name not in known and not open_ended(parameter)]


def unknown(item: Item, constructor: Callable[..., Any]) -> list[str]:
    """The options of the declaration that torch's constructor lacks."""
    arguments = inspect.signature(constructor).parameters
    if any(map(open_ended, arguments.values())):
        return []
    return [name for name in item.options if name not in arguments]


def open_ended(parameter: inspect.Parameter) -> bool:
    """Whether it stands for arguments that are handed on to another constructor."""
    return parameter.kind in (inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD)


def exercised(item: Item) -> dict[str, list[Any]]:
    """By option the values that every level tries, torch's default first, then those that users have, then the edges."""
    found: dict[str, list[Any]] = {}
    for name, values in item.options.items():
        if name in item.required:  # it follows from the shapes
            continue
        more = [*item.edge_options.get(name, ()), *(values[name] for values in item.together if name in values)]
        found[name] = [*values]
        for value in more:
            if not any(value is known or (type(value) is type(known) and value == known) for known in found[name]):
                found[name].append(value)
    return found
