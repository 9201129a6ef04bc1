"""What the page shows as tables: records of results files, counted, grouped and ordered. Torch-free; knows no item by name."""

from __future__ import annotations

import math
import re
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from benchkit.findings import SEVERITIES
from benchkit.request import DTYPES
from benchkit.results import Record

FAILED = ("error", "fail")
NOT_RUN = ("unsupported", "absent")
BUGS = ("caught", "survived", "misnamed")  # of a planted bug; the reference itself, run as control, has passed or failed
NOT_CAUGHT = ("survived", "failed", "misnamed")  # misnamed: said to be equivalent, and it is not
PATHS = ("eager", "legacy", "forloop", "foreach", "fused")  # the order of the rows; others follow
WORST_FIRST = (*FAILED, "waived", "shared", "marginal", "pass", *NOT_RUN)
SYMBOLS = {
    "error": "!",
    "fail": "✗",
    "waived": "⚑",
    "shared": "⚐",
    "marginal": "≈",
    "pass": "✓",
    "unsupported": "–",
    "absent": "–",
    "caught": "✓",
    "survived": "✗",
    "misnamed": "✗",
    "equivalent": "≡",
    "passed": "✓",
    "failed": "✗",
    "same": "✓",
    "drifted": "≈",
}
MEANINGS = {
    "pass": "within the bound",
    "marginal": "up to four bounds",
    "fail": "more than four bounds, or the wrong class of answer",
    "error": "the check raised, or could not have told right from wrong",
    "waived": "fails, and is a known defect of torch with a reason and an expiry",
    "shared": "fails where torch does too, under a waiver of torch",
    "unsupported": "the subject has no such option, dtype or path: nothing was compared",
    "absent": "not there in this torch: nothing was compared",
}


@dataclass
class Cell:
    """The checks of one item in one dtype on one device: counts by status, and the worst ratio of those not waived."""

    counts: dict[str, int] = field(default_factory=lambda: defaultdict(int))
    ratio: float | None = None

    def add(self, record: Record) -> None:
        self.counts[record["status"]] += 1
        ratio = record.get("ratio")
        if ratio is not None and record["status"] not in ("waived", "shared", *NOT_RUN):
            self.ratio = ratio if self.ratio is None or math.isnan(ratio) else max(self.ratio, ratio)

    @property
    def status(self) -> str:
        return next((status for status in WORST_FIRST if self.counts.get(status)), "absent")

    @property
    def checked(self) -> int:
        return sum(number for status, number in self.counts.items() if status not in NOT_RUN)

    def __getitem__(self, status: str) -> int:
        return self.counts.get(status, 0)


@dataclass
class Matrix:
    """Rows (item, path) against dtypes on one device; ``by_path`` says that items have more than one path."""

    device: str
    dtypes: list[str]
    rows: dict[str, dict[str, dict[str, Cell]]]
    by_path: bool


def matrices(checks: Iterable[Record]) -> list[Matrix]:
    """One matrix for each device, the CPU first."""
    cells: dict[str, dict[str, dict[str, dict[str, Cell]]]] = {}
    for record in checks:
        device, item, path, dtype = (str(record.get(name) or "any") for name in ("device", "item", "path", "dtype"))
        row = cells.setdefault(device, {}).setdefault(item, {}).setdefault(path, {})
        row.setdefault(dtype, Cell()).add(record)
    found = []
    for device in sorted(cells, key=lambda name: (name != "cpu", name)):
        rows = {
            item: {path: cells[device][item][path] for path in _ordered(cells[device][item], PATHS)}
            for item in sorted(cells[device], key=str.lower)
        }
        paths = {path for by_path in rows.values() for path in by_path}
        dtypes = {dtype for by_path in rows.values() for row in by_path.values() for dtype in row}
        found.append(Matrix(device, _ordered(dtypes, DTYPES), rows, len(paths) > 1))
    return found


@dataclass
class Power:
    """What the checks of some items and formats could tell: how many numbers were compared, and in how many of these the
    allowed error was so small, beside the numbers themselves, that a wrong one would have shown."""

    checks: int = 0
    compared: int = 0
    telling: int = 0

    def add(self, record: Record) -> None:
        self.checks += record["status"] not in NOT_RUN
        self.compared += int(record.get("compared") or 0)
        self.telling += int(record.get("telling") or 0)

    @property
    def share(self) -> float | None:
        return self.telling / self.compared if self.compared else None


ALL = "all"


def resolving_power(checks: Iterable[Record]) -> dict[str, dict[str, Power]]:
    """By item and format, and under ``ALL`` for either, what the checks could tell."""
    found: dict[str, dict[str, Power]] = {}
    for record in checks:
        for item in (str(record["item"]), ALL):
            for dtype in (str(record.get("dtype") or "any"), ALL):
                found.setdefault(item, {}).setdefault(dtype, Power()).add(record)
    return {item: found[item] for item in sorted(found, key=lambda name: (name == ALL, name.lower()))}


def _ordered(values: Iterable[str], order: Sequence[str]) -> list[str]:
    return sorted(values, key=lambda value: (order.index(value) if value in order else len(order), value))


@dataclass(frozen=True)
class Waived:
    """The cases that one waiver covers: why, where to read about it, and which they are."""

    waiver: str
    reason: str
    links: list[str]
    expires: str
    cases: list[Record]
    finding: str = ""


def waived(checks: Iterable[Record], waivers: Mapping[str, Mapping[str, Any]]) -> list[Waived]:
    """Waived and shared cases by waiver; ``waivers`` holds reason, link, expiry and finding by id as the run recorded them."""
    groups: dict[str, list[Record]] = defaultdict(list)
    for record in checks:
        if record["status"] in ("waived", "shared"):
            groups[str(record.get("waiver") or "without a name")].append(record)
    found = []
    for name, cases in sorted(groups.items()):
        known = waivers.get(name, {})
        reason = str(known.get("reason") or cases[0].get("reason") or name)
        link = str(known.get("link") or cases[0].get("link") or "")
        links = list(dict.fromkeys(re.findall(r"https?://[^\s<>\"')\]]+", f"{link} {reason}"))) or [link]
        found.append(Waived(name, reason, links, str(known.get("expires") or ""), cases, str(known.get("finding") or name)))
    return found


@dataclass(frozen=True)
class Defect:
    """A defect of torch: what its finding says (empty where the run recorded none) and the waivers with their cases."""

    finding: str
    known: Mapping[str, Any]
    waivers: list[Waived]

    @property
    def severity(self) -> str:
        return str(self.known.get("severity", ""))

    @property
    def count(self) -> int:
        return sum(len(waiver.cases) for waiver in self.waivers)


def defects(waivers: Iterable[Waived], findings: Mapping[str, Mapping[str, Any]]) -> list[Defect]:
    """The waivers by finding."""
    groups: dict[str, list[Waived]] = defaultdict(list)
    for waiver in waivers:
        groups[waiver.finding].append(waiver)
    return [Defect(name, findings.get(name, {}), group) for name, group in groups.items()]


def worst_first(found: Iterable[tuple[Any, Defect]]) -> list[tuple[Any, Defect]]:
    """The defects of all results files, each with its file, the worst severity first; those without a finding come last."""
    order = {severity: rank for rank, severity in enumerate(SEVERITIES)}
    return sorted(found, key=lambda pair: (order.get(pair[1].severity, len(order)), pair[1].finding))


def severities(found: Iterable[tuple[Any, Defect]]) -> dict[str, int]:
    """How many defects there are of each severity, the worst first; one that shows in several files counts once."""
    by_name = {defect.finding: defect.severity for _, defect in found}
    counts = Counter(by_name.values())
    return {severity: counts[severity] for severity in SEVERITIES if counts[severity]}


@dataclass(frozen=True)
class Group:
    """Cases of one status that have item, check, dtype, device and path in common; ``worst`` has the largest ratio."""

    item: str
    check: str
    dtype: str
    device: str
    path: str
    count: int
    worst: Record


def grouped(checks: Iterable[Record], statuses: Sequence[str]) -> list[Group]:
    """The cases of some statuses, put together."""
    groups: dict[tuple[str, ...], list[Record]] = defaultdict(list)
    for record in checks:
        if record["status"] in statuses:
            groups[tuple(str(record.get(name, "")) for name in ("item", "check", "dtype", "device", "path"))].append(record)
    found = []
    for (item, check, dtype, device, path), cases in sorted(groups.items()):
        worst = max(cases, key=lambda case: case.get("ratio") or 0.0)
        found.append(Group(item, check, dtype, device, path, len(cases), worst))
    return found


def by(records: Iterable[Record], key: str | Callable[[Record], str]) -> dict[str, list[Record]]:
    """Records by the text of a field, in order of appearance."""
    groups: dict[str, list[Record]] = {}
    for record in records:
        groups.setdefault(str(key(record) if callable(key) else record.get(key, "")), []).append(record)
    return groups


def number(value: Any) -> str:
    """A number for people: three digits, ``∞`` and ``NaN`` spelled out, a dash where there is none."""
    if value is None or isinstance(value, str):
        return str(value or "–")
    value = float(value)
    if math.isnan(value):
        return "NaN"
    if math.isinf(value):
        return "∞" if value > 0 else "−∞"
    return f"{value:,.0f}" if 999.5 <= abs(value) < 1e6 else f"{value:.3g}"


def never(arguments: Mapping[str, Mapping[str, Mapping[str, int]]]) -> list[tuple[str, str, str]]:
    """Item, argument and value of what is declared and was not judged."""
    return [
        (item, name, value)
        for item, options in arguments.items()
        for name, values in options.items()
        for value, count in values.items()
        if not count
    ]
