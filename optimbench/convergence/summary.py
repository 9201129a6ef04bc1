"""The tables on the terminal: narrower than those of the page, which have every interval."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from rich.box import SIMPLE
from rich.console import Group
from rich.table import Table as Printed
from rich.text import Text

from optimbench.convergence import answers as answering
from optimbench.convergence import gallery, tables
from optimbench.convergence.trajectory import Study

LEFT = ("optimizer", "group")
HEADERS = {"final objective": "final\nobjective", "95 % interval": "95 %\ninterval", "steps to target": "steps to\ntarget"}
WIDE = ("evaluations", "seconds", "tuning runs", "trained as")  # columns that the terminal has no room for


def summary(studies: Sequence[Study]) -> Group:
    """The final tables of ``converge``: those of the problem, or for several problems those over all of them."""
    found = [answering.answer(study) for study in studies if study.entries]
    everything = list(gallery.all_tables(found))
    several = len(answering.by_problem(found)) > 1
    chosen = [table for heading, table in everything if not several or heading == gallery.ALL_PROBLEMS]
    words = dict.fromkeys(note for table in chosen for note in table.notes)
    return Group(*map(printed, chosen), *(Text(note, style="dim") for note in words))


def printed(table: tables.Table) -> Printed:
    """A table for the terminal; long names are broken between words, numbers are not. A column without entries is left out."""
    shown = Printed(title=table.title, title_justify="left", box=SIMPLE, padding=(0, 1, 0, 0))
    kept = [k for k, name in enumerate(table.columns) if name not in WIDE and any(row[k] for row in table.rows)]
    longest = max(len(word) for row in table.rows for word in row[0].split())
    for column in (table.columns[k] for k in kept):
        name = column == "optimizer"
        header = HEADERS.get(column, column.replace("-", "-\n"))
        justify: Literal["left", "right"] = "left" if column in LEFT else "right"
        shown.add_column(header, justify=justify, no_wrap=not name, min_width=longest if name else None, overflow="fold")
    for row in table.rows:
        shown.add_row(*(row[k].replace("not reached", "no") for k in kept))
    return shown
