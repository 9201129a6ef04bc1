"""Results as JSON lines: one file for each run, a header first, every record flushed as it is made.

A killed run loses at most the record in flight: a torn last line is dropped when the file is read or resumed. The JSON is
strict, so numbers that are not finite are written as the strings ``inf``, ``-inf`` and ``nan`` and read back as floats.
"""

from __future__ import annotations

import datetime
import gzip
import importlib.metadata
import json
import math
import os
import platform
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TextIO

from benchkit.request import Request, UsageError

SCHEMA = 1
Record = dict[str, Any]

_NOT_FINITE = {"inf": math.inf, "-inf": -math.inf, "nan": math.nan}
_TEXT_FIELDS = frozenset({"options", "printed", "got", "message"})  # text even where it spells a number
_SAME_RUN = ("suite", "command", "items", "devices", "dtypes", "level", "impl", "seed", "extra")  # equal, or not the same run


@dataclass
class Results:
    """One results file: its header, its records in order, and whether the run came to its end (``summary`` closes it)."""

    header: Record
    records: list[Record] = field(default_factory=list)
    ended: bool = False
    summary: Record = field(default_factory=dict)

    def of(self, kind: str) -> list[Record]:
        """The records of one kind; of those that a continued run made again, only the last."""
        return latest([record for record in self.records if record["kind"] == kind])


def latest(records: Sequence[Record]) -> list[Record]:
    """The records without those that a later one of the same id replaces, which says so by its field ``again``."""
    last = {record["id"]: record for record in records}
    return [record for record in records if record is last[record["id"]] or not last[record["id"]].get("again")]


def read(path: Path | str) -> Results:
    """Read a results file (``.gz`` too); UsageError where there is none, or where it is damaged or of a newer schema."""
    return _scan(Path(path))[0]


class Run:
    """A results file being written: ``with Run.open(request) as run``; leaving the block closes the file, ended or not."""

    def __init__(self, path: Path, header: Record, records: list[Record], file: TextIO) -> None:
        self.path = path
        self.header = header
        self.records = records
        self._file = file
        self._done: dict[str, set[str]] = {}
        for record in records:
            self._done.setdefault(record["kind"], set()).add(record["id"])

    @classmethod
    def open(cls, request: Request, **more_header: Any) -> Run:
        """Start the results file of a request or, with ``request.resume``, continue the one that is there.

        ``header`` holds the request, ``environment`` and ``more_header``. UsageError where the folder cannot be written or
        where the file to resume comes from another request or another torch.
        """
        path = request.results_file
        header = _plain(
            {
                "kind": "header",
                "schema": SCHEMA,
                "suite": request.suite,
                "command": request.command,
                "items": request.items,
                "devices": request.devices,
                "dtypes": request.dtypes,
                "level": request.level,
                "impl": request.impl,
                "seed": request.seed,
                "extra": request.extra,
                "environment": environment(),
                **more_header,
            }
        )
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            if request.resume and path.exists() and (found := _resumable(path, header)):
                earlier, length = found
                os.truncate(path, length)
                return cls(path, earlier.header, earlier.records, path.open("a", encoding="utf-8", newline="\n"))
            file = path.open("w", encoding="utf-8", newline="\n")
        except OSError as error:
            raise UsageError(
                f"cannot write the results file {path}: {error.strerror}; give a file in a writable folder"
            ) from None
        run = cls(path, header, [], file)
        run._append(header)
        return run

    def __enter__(self) -> Run:
        return self

    def __exit__(self, *_: object) -> None:
        self._file.close()

    def done(self, kind: str) -> set[str]:
        """The ids of the records of one kind that the file holds, earlier ones and those written since."""
        return self._done.setdefault(kind, set())

    def write(self, kind: str, id: str, **fields: Any) -> Record:
        """Append one record and flush it; returns it as a reader will see it."""
        record = {"kind": kind, "id": id, **_plain(fields)}
        self._append(record)
        self.done(kind).add(id)
        restored: Record = _restored(record)
        return restored

    def end(self, **summary: Any) -> None:
        """Append the closing record: the run is complete."""
        self._append({"kind": "end", "id": "end", "time": _now(), **_plain(summary)})

    def _append(self, record: Record) -> None:
        self._file.write(json.dumps(record, allow_nan=False, ensure_ascii=False) + "\n")
        self._file.flush()


def environment() -> Record:
    """What the results depend on and the request does not say: versions, machine, threads, devices, flags, time (UTC)."""
    import torch

    from benchkit import devices

    return {
        "version": _version("lossbench"),
        "python": platform.python_version(),
        "torch": torch.__version__,
        "numpy": _version("numpy"),
        "scipy": _version("scipy"),
        "platform": platform.platform(),
        "cpu": devices.cpu_model(),
        "cores": os.cpu_count(),
        "threads": torch.get_num_threads(),
        "devices": {name: devices.describe(name) for name in devices.available()},
        "flags": {
            "cpu_capability": torch.backends.cpu.get_cpu_capability(),
            "cuda": torch.version.cuda,
            "float32_matmul_precision": torch.get_float32_matmul_precision(),
            "deterministic_algorithms": torch.are_deterministic_algorithms_enabled(),
            **{name: value for name, value in sorted(os.environ.items()) if name in _FLAGS},
        },
        "time": _now(),
    }


_FLAGS = ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "ATEN_CPU_CAPABILITY", "CUBLAS_WORKSPACE_CONFIG", "CUDA_VISIBLE_DEVICES")


def _scan(path: Path) -> tuple[Results, int]:
    """The contents of a results file and the length in bytes of what a resumed run keeps: no torn line, no closing record."""
    try:
        packed = path.read_bytes()
        lines = (gzip.decompress(packed) if path.suffix == ".gz" else packed).split(b"\n")
    except OSError as error:
        raise UsageError(f"cannot read the results file {path}: {error.strerror}") from None
    found: list[Record] = []
    length = 0
    ended = False
    for number, line in enumerate(lines[:-1], start=1):  # what follows the last newline is torn, or empty
        try:
            record = _restored(json.loads(line))
        except ValueError:
            if number == len(lines) - 1:
                break
            raise UsageError(f"{path} is not a results file: its line {number} is not JSON") from None
        _check_form(path, number, record)
        found.append(record)
        ended = record["kind"] == "end"
        length += 0 if ended else len(line) + 1
    if not found:
        return Results({}), 0
    summary = found.pop() if ended else {}
    return Results(found[0], found[1:], ended, summary), length


def _check_form(path: Path, number: int, record: Any) -> None:
    if not isinstance(record, dict) or "kind" not in record or (number == 1) != (record["kind"] == "header"):
        raise UsageError(f"{path} is not a results file: its line {number} is not {'a header' if number == 1 else 'a record'}")
    if number == 1 and not (isinstance(record.get("schema"), int) and record["schema"] <= SCHEMA):
        raise UsageError(
            f"{path} has results schema {record.get('schema')}, and this one reads up to {SCHEMA}; install a newer lossbench"
        )


def _resumable(path: Path, header: Record) -> tuple[Results, int] | None:
    """What to continue from, None where not even a header was written, UsageError where the file is of another run."""
    earlier, length = _scan(path)
    if not earlier.header:
        return None
    pairs = [(name, earlier.header.get(name), _restored(header)[name]) for name in _SAME_RUN]
    pairs.append(("torch", earlier.header.get("environment", {}).get("torch"), header["environment"]["torch"]))
    for name, before, now in pairs:
        if before != now:
            raise UsageError(
                f"cannot resume {path}: it was made with {name} {_say(before)}, and this run has {_say(now)}; "
                "leave out --resume to start anew"
            )
    return earlier, length


def _say(value: Any) -> str:
    return ", ".join(map(str, value)) or "of default" if isinstance(value, list) else str(value)


def _plain(value: Any) -> Any:
    """The value in strict JSON's own types; TypeError for what has no such form."""
    if value is None or isinstance(value, (str, bool, int)):
        return value
    if isinstance(value, float):
        return float(value) if math.isfinite(value) else str(float(value))
    if isinstance(value, Mapping):
        return {str(key): _plain(entry) for key, entry in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(entry) for entry in value]
    if isinstance(value, (set, frozenset)):
        return [_plain(entry) for entry in sorted(value)]
    if isinstance(value, os.PathLike):
        return os.fspath(value)
    if hasattr(value, "tolist"):  # numbers and arrays of numpy and torch
        return _plain(value.tolist())
    raise TypeError(f"a results file cannot hold a {type(value).__name__}: {value!r}")


def _restored(value: Any, name: str = "") -> Any:
    """The value with the spelled-out numbers turned to floats again."""
    if name in _TEXT_FIELDS:
        return value
    if isinstance(value, str):
        return _NOT_FINITE.get(value, value)
    if isinstance(value, dict):
        return {key: _restored(entry, key) for key, entry in value.items()}
    return [_restored(entry) for entry in value] if isinstance(value, list) else value


def _version(distribution: str) -> str:
    try:
        return importlib.metadata.version(distribution)
    except importlib.metadata.PackageNotFoundError:
        return "not installed"


def _now() -> str:
    return datetime.datetime.now(datetime.timezone.utc).isoformat(timespec="seconds")
