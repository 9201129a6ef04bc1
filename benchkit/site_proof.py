"""The proof as tables: which kinds of wrong versions of which item were told from the right one, and by what."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from benchkit.results import Record

CAUGHT, SURVIVED, EQUIVALENT, MISNAMED = "caught", "survived", "equivalent", "misnamed"
WRONG = (SURVIVED, "failed", MISNAMED)
FIRST_KINDS = ("planted", "generic")  # the others are those of automatic edits


@dataclass
class Kills:
    """The wrong versions of one kind of one item: how many were caught, survived, or are right after all."""

    caught: int = 0
    wrong: int = 0
    equivalent: int = 0

    @property
    def total(self) -> int:
        """All that had to be caught."""
        return self.caught + self.wrong

    def add(self, record: Record) -> None:
        self.caught += record["status"] == CAUGHT
        self.wrong += record["status"] in (SURVIVED, MISNAMED)
        self.equivalent += record["status"] == EQUIVALENT


@dataclass
class KillMatrix:
    """Items against kinds of wrong versions; ``all_kinds`` holds the sums of the columns, ``sums`` those of the rows."""

    kinds: list[str] = field(default_factory=list)
    rows: dict[str, dict[str, Kills]] = field(default_factory=dict)
    sums: dict[str, Kills] = field(default_factory=dict)
    all_kinds: dict[str, Kills] = field(default_factory=dict)
    everything: Kills = field(default_factory=Kills)


def kill_matrix(mutants: Iterable[Record]) -> KillMatrix:
    """The kill matrix of a run; the reference itself, run as control, is no wrong version."""
    found = KillMatrix()
    counted = [record for record in mutants if record["status"] in (CAUGHT, SURVIVED, EQUIVALENT, MISNAMED)]
    kinds = {kind_of(record) for record in counted}
    found.kinds = [*(k for k in FIRST_KINDS if k in kinds), *sorted(kinds - set(FIRST_KINDS))]
    for record in sorted(counted, key=lambda record: str(record["item"]).lower()):
        kind, item = kind_of(record), str(record["item"])
        row = found.rows.setdefault(item, {})
        places = (
            row.setdefault(kind, Kills()), found.sums.setdefault(item, Kills()), found.all_kinds.setdefault(kind, Kills()),
            found.everything,
        )  # fmt: skip
        for kills in places:
            kills.add(record)
    return found


def kind_of(record: Record) -> str:
    """The kind of a wrong version; records of older runs are all planted."""
    return str(record.get("group") or FIRST_KINDS[0])


def survivors_first(mutants: Sequence[Record]) -> list[Record]:
    """Records in the order of the page: what was not caught, then the others as they were written."""
    return sorted(mutants, key=lambda record: record["status"] not in WRONG)
