"""What ``list`` and ``show`` print: the declarations, as tables and source text."""

from __future__ import annotations

import ast
import inspect
import textwrap
from collections.abc import Callable, Mapping
from typing import Any

from rich.console import Console, Group
from rich.padding import Padding
from rich.syntax import Syntax
from rich.table import Table
from rich.text import Text

from benchkit.domains import Domain
from benchkit.spec import Item, Native


def items(registry: Mapping[str, Item]) -> None:
    """Print one row for each item."""
    table = Table(title=f"{len(registry)} items", title_justify="left")
    table.add_column("item", no_wrap=True)
    table.add_column("short name", no_wrap=True)
    table.add_column("options")
    table.add_column("document", no_wrap=True)
    table.add_column("planted bugs", justify="right")
    for name, item in registry.items():
        table.add_row(name, item.slug, ", ".join(item.options), item.document or "-", str(len(item.planted_bugs)))
    Console().print(table)


def item(item: Item) -> None:
    """Print everything that is declared of one item."""
    document = f"   document {item.document}" if item.document else ""
    Console().print(
        Group(
            Text(f"{item.path}   ({item.slug}){document}", style="bold"),
            Padding(Text(inspect.cleandoc(item.doc)), (1, 2)),
            *_sections(item),
        )
    )


def _sections(item: Item) -> list[Any]:
    found: list[Any] = [_options(item)]
    variants: Mapping[str, Mapping[str, Domain]] = getattr(item, "variants", {})
    if variants:
        inputs = _table("inputs", "variant", "input", "drawn from", "derivative")
        for variant, domains in variants.items():
            for name, domain in domains.items():
                inputs.add_row(variant or "-", name, domain.label, "yes" if domain.differentiable else "no")
        found.append(inputs)
    facts = _table("facts", "what", "value")
    facts.add_row("tags", ", ".join(sorted(item.tags)) or "-")
    for what in ("reductions", "paths"):
        if hasattr(item, what):
            facts.add_row(what, ", ".join(getattr(item, what)))
    facts.add_row("source", item.source or "-")
    found.append(facts)
    bugs = _table("planted bugs", "part", "wrong version", "upstream thread")
    for bug in item.planted_bugs:
        bugs.add_row(bug.part, bug.name, bug.thread or "-")
    found.append(bugs)
    for part, function in item.parts().items():
        found += [
            Text(f"\n{part}", style="bold"),
            Padding(Syntax(_source(function), "python", theme="ansi_dark", word_wrap=True), (0, 2)),
        ]
    return found


def _options(item: Item) -> Table:
    table = _table("options", "option", "default", "also", "at the edge")
    for name, (default, *others) in item.options.items():
        table.add_row(name, _say(default), _all(others), _all(item.edge_options.get(name, ())))
    return table


def _table(title: str, *columns: str) -> Table:
    return Table(*columns, title=title, title_justify="left", title_style="bold")


def _all(values: Any) -> str:
    return ", ".join(map(_say, values)) or "-"


def _say(value: Any) -> str:
    return value.label if isinstance(value, (Domain, Native)) else repr(value)


def _source(function: Callable[..., Any]) -> str:
    """The source text of a formula without its decorators and its docstring, which is printed above."""
    text = textwrap.dedent(inspect.getsource(function))
    (definition,) = ast.parse(text).body
    lines = text.splitlines()
    if isinstance(definition, ast.FunctionDef):
        first = definition.body[0]
        if ast.get_docstring(definition) is not None:
            del lines[first.lineno - 1 : first.end_lineno]
        del lines[: definition.lineno - 1]
    return "\n".join(lines)
