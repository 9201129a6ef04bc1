"""The page: one self-contained ``index.html`` from the results files of a folder, and from nothing else.

Pictures are embedded, nothing is loaded from anywhere, there is no script; a part whose results are missing says which command
makes them. Text of the results files is never trusted: it is escaped, links are http(s) alone, files are of the folder alone.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import quote

import jinja2

from benchkit import cross_check, history, pairs, quantities, sampling, self_test, site_proof, site_timing
from benchkit import site_tables as tables
from benchkit.device_ratios import without_accelerator
from benchkit.points import FIGURES
from benchkit.request import UsageError
from benchkit.results import Record, Results, read

BENCHKIT = "benchkit"  # what belongs to neither side: the null experiment
NOUNS = {"lossbench": "Losses", "optimbench": "Optimizers"}
COMMANDS = {
    "verify": "verification",
    "document": "the document",
    "prove": "planted bugs",
    "time": "timing",
    "converge": "convergence",
    "plot": "figures",
}
ONLY = {"converge": "optimbench"}  # commands that one side alone has
NULL_EXPERIMENT = "null-experiment"
OPTIONAL = {"prove", NULL_EXPERIMENT}  # parts that `report` does not run: their absence does not make a report incomplete
RESUMABLE = {"verify", "time", "converge"}
PAGES = ("index.html", "measuring.html", "history.html")
GALLERY = "figures"  # the section of the page for figures that name none
OPEN_CASES, MOST_CASES = 3, 50  # findings of one item that are shown at once, and on request; the results file has them all


@dataclass
class Part:
    """What one command left behind: ``state`` is complete, interrupted, unreadable or not run."""

    suite: str
    command: str
    state: str
    file: str = ""
    problem: str = ""
    results: Results = field(default_factory=lambda: Results({}))

    @property
    def what(self) -> str:
        return COMMANDS.get(self.command, self.command)

    @property
    def noun(self) -> str:
        return NOUNS.get(self.suite, self.suite)

    @property
    def environment(self) -> dict[str, Any]:
        return dict(self.results.header.get("environment") or {})

    @property
    def makes(self) -> str:
        """The command that makes this part, or continues it."""
        resume = " --resume" if self.state == "interrupted" and self.command in RESUMABLE else ""
        return f"{self.suite} {self.command}{resume}"

    def of(self, kind: str) -> list[Record]:
        return self.results.of(kind)


def render(reports: Path) -> Path:
    """Write ``index.html``, and beside it how we measure and the earlier runs, from the results files under ``reports``.

    Returns the first; UsageError where one cannot be written.
    """
    reports = Path(reports)
    parts, runs = find(reports), history.stored(reports)
    environment, found = _environment(reports), contents(parts, runs)
    for name in PAGES:
        page = reports / name
        text = environment.get_template(name).render(**found)
        try:
            reports.mkdir(parents=True, exist_ok=True)
            page.write_text(text, encoding="utf-8", newline="\n")
        except OSError as error:
            raise UsageError(f"cannot write the page {page}: {error.strerror}; give a writable folder with --reports") from None
    return reports / PAGES[0]


def find(reports: Path) -> list[Part]:
    """Every part of both sides, in the order of the page; several files of one command are several parts."""
    found: list[Part] = []
    for suite in (*NOUNS, BENCHKIT):
        for file in sorted([*reports.glob(f"{suite}-*.jsonl"), *reports.glob(f"{suite}-*.jsonl.gz")]):
            command = file.name.partition(".")[0].removeprefix(f"{suite}-")
            try:
                results = read(file)
            except UsageError as error:
                found.append(Part(suite, command, "unreadable", file.name, str(error)))
                continue
            if results.header:
                state = "complete" if results.ended else "interrupted"
                command = str(results.header.get("command") or command)
                found.append(Part(suite, command, state, file.name, results=results))
        present = {part.command for part in found if part.suite == suite}
        missing = [command for command in COMMANDS if command not in present and ONLY.get(command, suite) == suite]
        found += [Part(suite, command, "not run") for command in missing if suite in NOUNS]
    order = [*COMMANDS]
    return sorted(found, key=lambda part: (order.index(part.command) if part.command in order else len(order), part.suite))


def contents(parts: Sequence[Part], runs: Sequence[Results] = ()) -> dict[str, Any]:
    """What the template shows."""
    checks = [record for part in parts for record in part.of("check")]
    documents = [record for part in parts for record in part.of("document")]
    mutants = [record for part in parts for record in part.of("mutant")]
    cell = tables.Cell()
    for record in checks:
        cell.add(record)
    unexpected = [record for record in documents if not record.get("expected", True)]
    survivors = [record for record in mutants if record["status"] in tables.NOT_CAUGHT]
    complaints = [(part, text) for part in parts for text in _complaints(part)]
    lacking = [part for part in parts if part.state != "complete" and part.command not in OPTIONAL]
    wrong = cell["fail"] + cell["error"] + len(unexpected) + len(survivors) + len(complaints)
    drawn = _shown(parts, "figure")
    return {
        # What else there is says itself what makes it.
        "parts": [part for part in parts if part.command in COMMANDS or part.state == "unreadable"],
        "command": lambda name: [part for part in parts if part.command == name],
        "verdict": "wrong" if wrong else "incomplete" if lacking else "right",
        "cell": cell,
        "compared": sum(int(record.get("compared") or 0) for record in checks),
        "unexpected": unexpected,
        "survivors": survivors,
        "complaints": complaints,
        "waivers": _waivers,
        "findings": {id: known for part in parts for id, known in (part.results.summary.get("findings") or {}).items()},
        "lacking": lacking,
        "documents": documents,
        "mutants": mutants,
        "environment": _machine(parts),
        "figures": tables.by([r for _, r in drawn if r["section"] == GALLERY and r.get("group") != FIGURES], "group"),
        "timing_figures": lambda suite: [r for by, r in drawn if by == suite and r.get("group") == FIGURES],
        "history": runs,
        "past": site_timing.past(runs),
        "null_experiment": [part for part in parts if part.command == NULL_EXPERIMENT],
        "convergence": headings([r for _, r in _shown(parts, "table", "figure") if r["section"] == "convergence"]),
    }


def _shown(parts: Sequence[Part], *kinds: str) -> list[tuple[str, Record]]:
    """Figures and tables, each with its suite, and the section of the page to which they belong: the gallery unless they say
    another."""
    return [(part.suite, {"section": GALLERY, **record}) for part in parts for kind in kinds for record in part.of(kind)]


@dataclass
class Heading:
    """What stands under one heading of a section: tables, the figures that are seen first, and the others."""

    tables: list[Record] = field(default_factory=list)
    first: list[Record] = field(default_factory=list)
    others: list[Record] = field(default_factory=list)


def headings(records: Sequence[Record]) -> dict[str, Heading]:
    """The records of a section by their ``group``, in order of appearance."""
    found: dict[str, Heading] = {}
    for record in records:
        heading = found.setdefault(str(record["group"]), Heading())
        kind = heading.tables if record["kind"] == "table" else heading.first if record.get("first", True) else heading.others
        kind.append(record)
    return found


def _complaints(part: Part) -> list[str]:
    """What a run says against its waivers: one that expired, or covers nothing that fails any more, fails the run."""
    told = part.results.summary.get("problems") or [record["problem"] for record in part.of("waiver") if record.get("problem")]
    return [str(text) for text in (told if isinstance(told, list) else [told])]


def _waivers(part: Part) -> dict[str, dict[str, Any]]:
    """Reason, link and expiry of the waivers of a run by id, from wherever the run wrote them."""
    records = {record["id"]: record for record in part.of("waiver") if record.get("reason")}
    return {**(part.results.header.get("waivers") or {}), **(part.results.summary.get("waivers") or {}), **records}


def _machine(parts: Sequence[Part]) -> dict[str, list[str]]:
    """Versions and machine, each with all the values that the parts have; one value unless they come from several machines."""
    found: dict[str, list[str]] = {}
    for part in parts:
        for name, value in part.environment.items():
            if isinstance(value, dict):
                value = ", ".join(f"{key}: {entry}" for key, entry in value.items() if entry is not None)
            found.setdefault(name, []).append(str(value))
    moments = sorted(found.pop("time", []))
    found = {name.replace("_", " "): list(dict.fromkeys(values)) for name, values in found.items()}
    begun = " to ".join(
        dict.fromkeys(moment.removesuffix("+00:00").replace("T", " ") for moment in (moments[:1] + moments[-1:]))
    )
    return found | ({"runs begun (UTC)": [begun]} if moments else {})


def _environment(reports: Path) -> jinja2.Environment:
    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("benchkit", "templates"),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters.update(
        number=tables.number,
        duration=quantities.duration,
        size=quantities.size_text,
        rate=quantities.rate_text,
        anchor=lambda text: re.sub(r"[^a-z0-9]+", "-", str(text).lower()).strip("-"),
    )
    environment.globals.update(
        tables=tables,
        timing=site_timing,
        past_runs=history,
        sampling=sampling,
        pairs=pairs,
        self_test=self_test,
        cross_check=cross_check,
        proof=site_proof,
        symbols=tables.SYMBOLS,
        open=OPEN_CASES,
        most=MOST_CASES,
        no_accelerator=without_accelerator,
        picture=lambda record: picture(reports, record),
        link=lambda file: link(reports, file),
        is_url=lambda text: bool(re.match(r"https?://", str(text))),
    )
    return environment


def picture(reports: Path, record: Record) -> str:
    """The PNG of a figure record as a data URL; empty where the folder has no such file."""
    file = _inside(reports, record.get("file"))
    return "data:image/png;base64," + base64.b64encode(file.read_bytes()).decode("ascii") if file else ""


def link(reports: Path, name: Any) -> str:
    """A relative link to a file of the folder, empty where there is none; the name may begin with that of the folder."""
    for candidate in (str(name or ""), str(name or "").removeprefix(f"{reports.name}/")):
        file = _inside(reports, candidate)
        if file:
            return quote(file.relative_to(reports.resolve()).as_posix())
    return ""


def _inside(reports: Path, name: Any) -> Path | None:
    """The file of that name if it lies in the folder."""
    if not name:
        return None
    file = (reports / str(name)).resolve()
    return file if file.is_relative_to(reports.resolve()) and file.is_file() else None
