"""Waivers: known upstream defects that do not fail a run, each with a reason, the versions it holds for and an expiry.

A waived case still runs. A waiver fails the run in its turn once it has expired, matches nothing, or covers nothing that fails
any more. The format is described at the top of ``waivers.toml``.
"""

from __future__ import annotations

import datetime
import fnmatch
import importlib.metadata
import math
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any

from packaging.specifiers import InvalidSpecifier, SpecifierSet

from benchkit.judge import LIMIT, MARGINAL, OTHER, WRONG
from benchkit.request import DTYPES, UsageError
from benchkit.versions import among

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

ANY = ("*",)
_FAILED = ("fail", "waived", "shared", "error")
_RAN = ("pass", "marginal", *_FAILED)
_LISTS = ("item", "check", "device", "dtype", "path", "lane")  # fields that hold one word or several


@dataclass(frozen=True)
class Waiver:
    """One known defect: ``item`` to ``lane`` hold words that a record must have (``*`` is any), ``case`` patterns of ids.

    ``wrong``, ``largest`` and ``says`` tell how the defect shows: what comes out in all the elements that fail, how far off
    the worst is, and words of the message. A failure that shows otherwise is another defect, and not excused.
    One that is ``seldom`` shows in few of the cases that it covers, for some numbers, and no run can say that it shows no
    longer: the reproducer of its finding does, which the tests run.
    """

    id: str
    item: tuple[str, ...]
    check: tuple[str, ...]
    device: tuple[str, ...]
    dtype: tuple[str, ...]
    torch: SpecifierSet
    reason: str
    link: str
    expires: datetime.date
    path: tuple[str, ...] = ANY
    lane: tuple[str, ...] = ANY
    case: tuple[str, ...] = ANY
    wrong: tuple[str, ...] = ANY  # what comes out in the elements that fail
    largest: float = math.inf  # the largest ratio of error to bound that the defect explains
    says: tuple[str, ...] = ANY  # words of the message, of which it has one
    seldom: bool = False
    finding: str = ""  # the finding that tells of the defect; where left out, the one of the same name

    @property
    def showing(self) -> tuple[str, ...]:
        """The statuses of a check that has the defect; one that is not far off may stay below the limit for some numbers."""
        return _FAILED if self.largest == math.inf else (MARGINAL, *_FAILED)

    def covers(self, record: Mapping[str, Any]) -> bool:
        """Tell whether a check record is one that this waiver speaks of; its status does not matter."""
        return self.lists(record) and self.names(record)

    def lists(self, record: Mapping[str, Any]) -> bool:
        """Whether the waiver lists the item, the check, the device and so on of a record."""
        return all(_among(record.get(name), getattr(self, name)) for name in _LISTS)

    def names(self, record: Mapping[str, Any]) -> bool:
        """Whether one of the patterns of cases fits the record's id."""
        id = str(record.get("id", ""))
        return self.case == ANY or any(fnmatch.fnmatchcase(id, pattern.replace("[", "[[]")) for pattern in self.case)

    def excuses(self, record: Mapping[str, Any]) -> bool:
        """Tell whether a failed check is one that this waiver speaks of, and its failure one that the defect explains."""
        message = "\n".join(record.get("message") or [])
        return (
            self.covers(record)
            and (self.wrong == ANY or set(record.get("wrong") or [OTHER]) <= set(self.wrong))
            and (self.largest == math.inf or _number(record.get("ratio")) <= self.largest)
            and (self.says == ANY or any(words in message for words in self.says))
        )


@dataclass
class Waivers:
    """The waivers that hold for the installed torch, and what the run has shown of them so far.

    ``match`` finds the waiver of a failed check; ``note`` takes every finished record, waived or not; ``problems`` says at the
    end which waivers must go.
    """

    waivers: tuple[Waiver, ...]
    today: datetime.date
    _ran: dict[str, int] = field(default_factory=dict)
    _failed: dict[str, int] = field(default_factory=dict)
    _listed: dict[tuple[Any, ...], tuple[Waiver, ...]] = field(default_factory=dict)
    _seen: dict[str, set[str]] = field(default_factory=lambda: {"item": set(), "device": set()})

    @classmethod
    def load(cls, path: Path | None, torch_version: str, today: datetime.date) -> Waivers:
        """Read the waivers (default: the project's own); UsageError names the waiver that is not well formed.

        Waivers whose torch range leaves out ``torch_version`` are dropped here.
        """
        path = path or default_path()
        try:
            tables = tomllib.loads(path.read_text(encoding="utf-8"))
        except OSError as error:
            raise UsageError(f"cannot read the waivers {path}: {error.strerror}") from None
        except ValueError as error:
            raise UsageError(f"the waivers {path} are not TOML: {error}") from None
        entries = tables.pop("waiver", [])
        if tables or not isinstance(entries, list):
            raise UsageError(f"the waivers {path} hold {', '.join(tables) or 'waiver'}; only [[waiver]] tables are allowed")
        waivers = [_waiver(entry, number) for number, entry in enumerate(entries, start=1)]
        ids = [waiver.id for waiver in waivers]
        for id in ids:
            if ids.count(id) > 1:
                raise UsageError(f"waiver {id!r} is there twice; every id must be its own")
        return cls(tuple(waiver for waiver in waivers if among(torch_version, waiver.torch)), today)

    def described(self) -> dict[str, dict[str, str]]:
        """Reason, link, expiry and finding by waiver id, so that a reader of the results can do without ``waivers.toml``."""
        return {
            w.id: {"reason": w.reason, "link": w.link, "expires": w.expires.isoformat(), "finding": w.finding or w.id}
            for w in self.waivers
        }

    def finding(self, id: str) -> str:
        """The finding that a waiver points to."""
        return next(w.finding or w.id for w in self.waivers if w.id == id)

    def used(self) -> list[str]:
        """The findings of the waivers under which something failed so far."""
        return sorted({w.finding or w.id for w in self.waivers if self._failed.get(w.id)})

    def match(self, record: Mapping[str, Any]) -> Waiver | None:
        """The first waiver that excuses a record, expired or not; the record's ``status`` does not matter."""
        return next((waiver for waiver in self._listing(record) if waiver.excuses(record)), None)

    def match_on_cpu(self, record: Mapping[str, Any]) -> Waiver | None:
        """The waiver that would excuse the record of another device if it were one of the CPU: likely the same defect."""
        device = str(record["device"])
        on_cpu = {**record, "device": "cpu", "id": str(record["id"]).replace(f"-{device}-", "-cpu-")}
        return None if device == "cpu" else self.match(on_cpu)

    def _listing(self, record: Mapping[str, Any]) -> tuple[Waiver, ...]:
        """The waivers that list what a record is of; there are few kinds of records, so this is asked once for each."""
        kind = tuple(record.get(name) for name in _LISTS)
        if kind not in self._listed:
            self._listed[kind] = tuple(waiver for waiver in self.waivers if waiver.lists(record))
        return self._listed[kind]

    def note(self, record: Mapping[str, Any]) -> None:
        """Take notice of a finished check."""
        status = record.get("status")
        if status not in _RAN:
            return
        for name, seen in self._seen.items():
            seen.add(str(record.get(name)))
        for waiver in self._listing(record):
            if waiver.names(record):
                self._ran[waiver.id] = self._ran.get(waiver.id, 0) + 1
                self._failed[waiver.id] = self._failed.get(waiver.id, 0) + (status in waiver.showing)

    def problems(self, complete: bool, whole: bool = True) -> list[str]:
        """One sentence for each waiver that fails the run; empty where all is well.

        ``complete`` says that the items that ran, ran with every dtype and lane, torch itself and not an ``--impl``: only then
        can a waiver be said to fail no longer, unless it shows ``seldom``. ``whole`` says that the level has every kind of case
        there is: only then can one be said to match nothing. Either only where all the items and devices that it names were in
        the run; an expired one is told in any run that has its item.
        """
        found = []
        for waiver in self.waivers:
            if waiver.expires < self.today and self._seen["item"].intersection(waiver.item):
                found.append(
                    f"waiver {waiver.id!r} expired on {waiver.expires}: look at the defect again and renew it or remove it"
                )
            elif complete and self._in_run(waiver) and not self._failed.get(waiver.id):
                if (ran := self._ran.get(waiver.id)) and not waiver.seldom:
                    found.append(
                        f"waiver {waiver.id!r} no longer fails: the checks that it covers ({ran}) are right, so remove it"
                    )
                elif whole and not ran:
                    found.append(
                        f"waiver {waiver.id!r} matches nothing: no check of this run is of its item, check, ... and case"
                    )
        return found

    def _in_run(self, waiver: Waiver) -> bool:
        return all(self._seen[name].issuperset(words) for name in self._seen if (words := getattr(waiver, name)) != ANY)


def default_path() -> Path:
    """The project's ``waivers.toml``: beside the packages in a checkout, in ``share/lossbench`` where a wheel put it."""
    beside = Path(__file__).resolve().parent.parent / "waivers.toml"
    if beside.exists():
        return beside
    for file in importlib.metadata.files("lossbench") or ():
        if file.name == "waivers.toml":
            return Path(str(file.locate())).resolve()
    raise UsageError(f"there is no waivers.toml beside {beside.parent} and none was installed; install lossbench again")


def _waiver(entry: Mapping[str, Any], number: int) -> Waiver:
    """Check one table and make a Waiver of it."""
    name = f"waiver {entry['id']!r}" if entry.get("id") else f"waiver number {number}"
    known = {f.name: f for f in fields(Waiver)}
    optional = {"path", "lane", "case", "wrong", "largest", "says", "seldom", "finding"}
    for key in entry:
        if key not in known:
            raise UsageError(f"{name} has an unknown field {key!r}; the fields are {', '.join(known)}")
    for key in known:
        if key not in optional and not entry.get(key):
            raise UsageError(f"{name} has no {key!r}; only {', '.join(sorted(optional))} may be left out")
    values: dict[str, Any] = dict(entry)
    for key in (*_LISTS, "case", "wrong", "says"):
        if key in values:
            values[key] = _words(name, key, values[key])
    if not isinstance(values.get("seldom", False), bool):
        raise UsageError(f"{name}: seldom must be true or false, and it is {values['seldom']!r}")
    for key in ("id", "reason", "link", "torch", "finding"):
        if key in values and not isinstance(values[key], str):
            raise UsageError(f"{name}: {key} must be text, and it is {values[key]!r}")
    if "largest" in values and not (isinstance(values["largest"], (int, float)) and values["largest"] > LIMIT):
        raise UsageError(
            f"{name}: largest must be a number above {LIMIT:g}, from which it fails, and it is {values['largest']!r}"
        )
    if values["item"] == ANY:
        raise UsageError(f"{name} covers every item; it must name the items that have the defect")
    if "flaky" in values["reason"].lower():
        raise UsageError(f"{name}: 'flaky' is not a reason; say what is wrong and when")
    if values["link"] != "unreported" and not values["link"].startswith(("https://", "http://")):
        raise UsageError(f"{name}: the link must be a URL or 'unreported', and it is {values['link']!r}")
    values["torch"] = _specifier(name, values["torch"])
    values["expires"] = _date(name, values["expires"])
    return Waiver(**values)


def _words(name: str, key: str, value: Any) -> tuple[str, ...]:
    words = (value,) if isinstance(value, str) else tuple(value) if isinstance(value, list) else ()
    if not words or not all(isinstance(word, str) and word for word in words):
        raise UsageError(f"{name}: {key} must be a word, a list of words or '*', and it is {value!r}")
    if "*" in words and len(words) > 1:
        raise UsageError(f"{name}: {key} must be '*' alone or words without it, and it is {value!r}")
    for word in words:
        if key == "dtype" and word not in (*DTYPES, "*"):
            raise UsageError(f"{name}: unknown dtype {word!r}; it must be one of {', '.join(DTYPES)} or '*'")
        if key == "wrong" and word not in (*WRONG, "*"):
            raise UsageError(f"{name}: wrong must be of {', '.join(WRONG)}, and it is {word!r}")
    return words


def _specifier(name: str, text: str) -> SpecifierSet:
    try:
        return SpecifierSet(text)
    except InvalidSpecifier:
        raise UsageError(f"{name}: the torch range {text!r} is not a version specifier such as '>=2.9,<2.15'") from None


def _date(name: str, value: Any) -> datetime.date:
    if isinstance(value, datetime.date) and not isinstance(value, datetime.datetime):
        return value
    try:
        return datetime.date.fromisoformat(value)
    except (TypeError, ValueError):
        raise UsageError(f"{name}: expires must be a date such as 2027-06-30, and it is {value!r}") from None


def _number(value: Any) -> float:
    """The ratio of a record: a number, or the text that stands for one that is not finite; infinite where there is none."""
    return math.inf if value is None else float(value)


def _among(value: Any, words: tuple[str, ...]) -> bool:
    return words == ANY or value in words
