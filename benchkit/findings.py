"""Findings: what is known to be wrong in torch, one file each, with a reproducer that tells whether it still is.

``findings/<id>.toml`` holds a title, where the defect shows (``item``, ``path``, ``dtype``, ``device``: lists of words), its
``severity``, what the ``definition`` says and what ``torch`` does instead, the upstream ``link`` (or ``unreported``), the
``versions`` of torch that have it, and the ``reproducer``: a few lines of Python that need torch alone and end in an ``assert``
of what is right. A waiver points to its finding by ``finding = "<id>"``, or by having the same id.
"""

from __future__ import annotations

import contextlib
import importlib.metadata
import io
import multiprocessing
import sys
import warnings
from collections.abc import Mapping
from dataclasses import dataclass, fields
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

from packaging.specifiers import InvalidSpecifier, SpecifierSet

from benchkit.request import UsageError
from benchkit.versions import among

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

SEVERITIES = ("crash", "memory", "wrong result", "NaN", "missing error", "precision", "documentation")  # worst first
SHOWS, GONE, BROKEN = "shows", "gone", "broken"
TIME_LIMIT = 120.0  # seconds; a reproducer that takes longer hangs
_LISTS = ("item", "path", "dtype", "device")


@dataclass(frozen=True)
class Finding:
    """One defect of torch; the fields are those of its file."""

    id: str
    title: str
    item: tuple[str, ...]
    path: tuple[str, ...]
    dtype: tuple[str, ...]
    device: tuple[str, ...]
    severity: str
    definition: str
    torch: str
    link: str
    versions: SpecifierSet
    reproducer: str

    def holds_for(self, torch_version: str) -> bool:
        """Whether this version of torch is said to have the defect."""
        return among(torch_version, self.versions)

    def described(self) -> dict[str, Any]:
        """The finding as JSON, for a results file."""
        plain = {f.name: getattr(self, f.name) for f in fields(self)}
        return plain | {name: list(plain[name]) for name in _LISTS} | {"versions": str(self.versions)}


def load(folder: Path | None = None) -> dict[str, Finding]:
    """Every finding by its id, the worst first; UsageError names a file that is not well formed."""
    folder = folder or default_folder()
    found = [_finding(file) for file in sorted(folder.glob("*.toml"))]
    return {finding.id: finding for finding in sorted(found, key=lambda f: (SEVERITIES.index(f.severity), f.id))}


def default_folder() -> Path:
    """The project's ``findings``: beside the packages in a checkout, in ``share/lossbench`` where a wheel put it."""
    beside = Path(__file__).resolve().parent.parent / "findings"
    if beside.exists():
        return beside
    for file in importlib.metadata.files("lossbench") or ():
        if file.parent.name == "findings" and file.suffix == ".toml":
            return Path(str(file.locate())).resolve().parent
    raise UsageError(f"there is no folder findings beside {beside.parent} and none was installed; install lossbench again")


def _finding(file: Path) -> Finding:
    """Read one file and check it."""
    name = f"finding {file.stem!r}"
    try:
        values: dict[str, Any] = {"id": file.stem, **tomllib.loads(file.read_text(encoding="utf-8"))}
    except (OSError, ValueError) as error:
        raise UsageError(f"{name} cannot be read: {error}") from None
    known = [f.name for f in fields(Finding)]
    _check_fields(name, values, known)
    for key in _LISTS:
        words = values[key] if isinstance(values[key], list) else [values[key]]
        if not words or not all(isinstance(word, str) for word in words):
            raise UsageError(f"{name}: {key} must be a word or a list of words, and it is {values[key]!r}")
        values[key] = tuple(words)
    if values["severity"] not in SEVERITIES:
        raise UsageError(f"{name}: severity must be one of {', '.join(SEVERITIES)}, and it is {values['severity']!r}")
    if values["link"] != "unreported" and not values["link"].startswith("https://"):
        raise UsageError(f"{name}: the link must be a URL or 'unreported', and it is {values['link']!r}")
    try:
        values["versions"] = SpecifierSet(values["versions"])
    except InvalidSpecifier:
        raise UsageError(
            f"{name}: versions must be a specifier such as '>=2.9,<2.15', and it is {values['versions']!r}"
        ) from None
    return Finding(**values)


def _check_fields(name: str, values: Mapping[str, Any], known: list[str]) -> None:
    for key in values:
        if key not in known:
            raise UsageError(f"{name} has an unknown field {key!r}; the fields are {', '.join(known[1:])}")
    for key in known:
        if not values.get(key):
            raise UsageError(f"{name} has no {key!r}")
        if key not in _LISTS and not isinstance(values[key], str):
            raise UsageError(f"{name}: {key} must be text, and it is {values[key]!r}")


def reproduce(finding: Finding) -> tuple[str, str]:
    """Run a reproducer in a process of its own: ``shows``, ``gone`` or ``broken``, and what it said."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["torch"])
    here, there = context.Pipe(duplex=False)
    process = context.Process(target=_run, args=(finding.reproducer, finding.id, there))
    process.start()
    there.close()
    try:
        if not here.poll(TIME_LIMIT):
            return BROKEN, f"did not end in {TIME_LIMIT:.0f} s"
        outcome: tuple[str, str] = here.recv()
    except EOFError:
        process.join()
        # Only of a crash is it right that the process dies.
        return SHOWS if finding.severity in ("crash", "memory") else BROKEN, f"the process died ({process.exitcode})"
    finally:
        here.close()
        if process.is_alive():
            process.kill()
        process.join()
    return outcome


def _run(text: str, name: str, answer: Connection) -> None:
    """In the child: run a reproducer and tell how it ended."""
    warnings.simplefilter("ignore")
    try:
        with contextlib.redirect_stdout(io.StringIO()):
            exec(compile(text, f"<finding {name}>", "exec"), {"__name__": "__main__"})
        answer.send((GONE, "every assertion held"))
    except AssertionError as error:
        answer.send((SHOWS, str(error)))
    except Exception as error:
        answer.send((BROKEN, f"raised {type(error).__name__}: {error}"))
