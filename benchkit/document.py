"""The document, reproduced: statements of the source document, each checked by a program, and the table of what came out."""

from __future__ import annotations

import functools
import hashlib
import warnings
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from benchkit.request import DISCREPANCY, RIGHT, Request
from benchkit.results import Record, Run

SAME, DRIFTED = "same", "drifted"


@dataclass(frozen=True)
class Statement:
    """One thing that the document says: where, about what, what it prints, and the program that prints it today.

    ``drift`` is the reason why this torch is expected to print something else; without one, a difference is a discrepancy,
    and so is a reason that is no longer needed. ``item`` is the class that it is about, if it is about one.
    """

    section: str
    what: str
    printed: str
    program: Callable[[], str]
    drift: str = ""
    item: str = ""


def check(request: Request, statements: Iterable[Statement]) -> int:
    """Run every statement, write a ``document`` record for each and print the table; DISCREPANCY where one was not expected."""
    records: list[Record] = []
    with Run.open(request) as run:
        for statement in sorted(statements, key=_place):
            if not request.items or statement.item in request.items:
                records.append(run.write("document", _id(statement), **judge(statement)))
        wrong = [record for record in records if not record["expected"]]
        verdicts = Counter(record["verdict"] for record in records)
        run.end(**{SAME: verdicts[SAME], DRIFTED: verdicts[DRIFTED]}, unexpected=len(wrong))
    console = Console()
    console.print(table(records))
    console.print(
        f"{len(records)} statements: {verdicts[SAME]} same, {verdicts[DRIFTED]} drifted, {len(wrong)} not as expected"
    )
    for record in wrong:
        console.print(
            f"not as expected: {record['section']} {record['what']}: {record['reason']}", soft_wrap=True, markup=False
        )
    return DISCREPANCY if wrong else RIGHT


def judge(statement: Statement) -> Record:
    """The fields of a statement's record; an exception of its program is what it got, in words."""
    try:
        got = statement.program()
    except Exception as error:
        got = raised(error)
    drifted = got != statement.printed
    reason = statement.drift
    if drifted and not statement.drift:
        reason = "no drift was declared: either torch has changed or the program is wrong"
    elif not drifted and statement.drift:
        reason = f"this drift was declared and is gone: {statement.drift}"
    return {
        "section": statement.section,
        "what": statement.what,
        "printed": statement.printed,
        "got": got,
        "verdict": DRIFTED if drifted else SAME,
        "reason": reason,
        "expected": drifted == bool(statement.drift),
        "item": statement.item,
    }


def table(records: Iterable[Record]) -> Table:
    """The records as a table, one row for each statement; what came out is spelled out where it is not what was printed."""
    found = Table(title="The document, reproduced", title_justify="left")
    for column in ("section", "what", "printed", "got", "verdict", "reason"):
        found.add_column(column, overflow="fold", no_wrap=column in ("section", "verdict"))
    for record in records:
        style = "red" if not record["expected"] else "yellow" if record["verdict"] == DRIFTED else None
        shown = {**record, "got": "as printed"} if record["verdict"] == SAME else record
        row = [Text(shown[name]) for name in ("section", "what", "printed", "got", "verdict", "reason")]
        found.add_row(*row, style=style)
    return found


def raised(error: Exception) -> str:
    """An exception as the table shows it."""
    return f"raises {type(error).__name__}: {str(error).splitlines()[0] if str(error) else ''}"


def outcome(program: Callable[[], Any]) -> str:
    """``accepts``, ``warns: ...`` or ``raises ...``: what a call does besides returning."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        try:
            program()
        except Exception as error:
            return raised(error)
    return f"warns {caught[0].category.__name__}: {str(caught[0].message).splitlines()[0]}" if caught else "accepts"


@contextmanager
def quiet() -> Iterator[None]:
    """No warnings: for programs whose warning is another row of the table."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


def quietly(program: Callable[[], str]) -> Callable[[], str]:
    """The program without its warnings."""

    @functools.wraps(program)
    def silent() -> str:
        with quiet():
            return program()

    return silent


def stream(name: str) -> int:
    """The seed of the random numbers of a statement, from its name."""
    return int.from_bytes(hashlib.sha256(name.encode()).digest()[:8], "little") >> 1


def _place(statement: Statement) -> tuple[int, ...]:
    """Numbered sections in their order, each in one piece, then the others as they come."""
    numbers = statement.section.split(".")
    return tuple(map(int, numbers)) if all(map(str.isdigit, numbers)) else (1_000_000,)


def _id(statement: Statement) -> str:
    return f"{statement.section} {statement.what}"
