"""Python objects by name: ``module:attribute``, as the command line and the lazily loaded commands give them."""

from __future__ import annotations

import difflib
import importlib
import sys
import traceback
from collections.abc import Callable, Collection, Mapping
from typing import Any

from benchkit.request import UsageError


def load(spec: str) -> Any:
    """The object that ``module:attribute`` names; dots in the attribute go deeper. For names of this project's own."""
    module, _, attribute = spec.partition(":")
    found = importlib.import_module(module)
    for part in attribute.split("."):
        found = getattr(found, part)
    return found


def load_attribute(spec: str, option: str = "--impl") -> Any:
    """The callable that a user names with an option as ``module:attribute``; the current folder is searched first.

    UsageError, which names the option that the text was given for, where the form is wrong, the module cannot be found or
    imported, or has no such callable.
    """
    module_name, colon, attribute = spec.partition(":")
    if not (colon and all(part.isidentifier() for part in (*module_name.split("."), *attribute.split(".")))):
        raise UsageError(f"cannot read {option} {spec!r}; it must have the form module:attribute, such as mylosses:SmoothL1")
    if "" not in sys.path:
        sys.path.insert(0, "")
    try:
        found = importlib.import_module(module_name)
    except ModuleNotFoundError as error:
        if error.name and (module_name == error.name or module_name.startswith(error.name + ".")):
            raise UsageError(
                f"there is no module {error.name!r} for {option} {spec!r}; it must be installed or lie in the current folder"
            ) from None
        raise UsageError(f"the module of {option} {spec!r} cannot be imported: {_last_line(error)}") from error
    except (Exception, SystemExit) as error:  # whatever the module of the user raises
        raise UsageError(f"the module of {option} {spec!r} cannot be imported: {_last_line(error)}") from error
    for part in attribute.split("."):
        if not hasattr(found, part):
            names = [name for name in dir(found) if not name.startswith("_")]
            raise UsageError(f"{module_name!r} has no attribute {attribute!r} for {option}{suggestion(part, names)}")
        found = getattr(found, part)
    if not callable(found):
        raise UsageError(f"{option} {spec!r} is a {type(found).__name__}; it must be a class or a function")
    return found


def torch_class(path: str) -> Any:
    """The class of that name, or None where the installed torch has none."""
    import torch

    found: Any = torch
    for name in path.split(".")[1:]:
        found = getattr(found, name, None)
    return found


def lacking(item: Any, purpose: str) -> str:
    """A sentence where the installed torch has no class of that item, ``to time`` say; empty where it has."""
    import torch

    return "" if torch_class(item.path) else f"this torch ({torch.__version__}) has no {item.path} {purpose}"


def there(items: Mapping[str, Any], asked: Collection[str], purpose: str) -> list[Any]:
    """The items asked for, or all that the installed torch has; UsageError where one that was asked for is not there."""
    lacks = {name: reason for name in asked or items if (reason := lacking(items[name], purpose))}
    if asked and lacks:
        name, reason = next(iter(lacks.items()))
        raise UsageError(f"{reason}; leave {name} out")
    return [items[name] for name in asked or items if name not in lacks]


def public_classes(module: str, wanted: Callable[[str, type], bool]) -> list[str]:
    """The paths of the public classes of a module, ``torch.nn`` say, that are ``wanted`` by their name and by what they are."""
    found = importlib.import_module(module)
    named = {name: getattr(found, name) for name in dir(found) if not name.startswith("_")}
    return [f"{module}.{name}" for name, value in named.items() if isinstance(value, type) and wanted(name, value)]


def suggestion(name: str, known: list[str]) -> str:
    """``; did you mean X?`` where one of the known names is close, else nothing; case does not count."""
    by_lower = {entry.lower(): entry for entry in known}
    close = difflib.get_close_matches(name.lower(), by_lower, n=1)
    return f"; did you mean {by_lower[close[0]]}?" if close else ""


def _last_line(error: BaseException) -> str:
    return traceback.format_exception_only(type(error), error)[-1].strip()
