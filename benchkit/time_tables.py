"""What ``time`` prints: the answers of the self-test, tables of times, and the ratios that were measured in pairs."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from rich import box
from rich.console import Console
from rich.table import Table

from benchkit import history
from benchkit.device_ratios import Comparison, compare_devices, without_accelerator
from benchkit.measurements import compared
from benchkit.pairs import AMBIGUOUS, FASTER, SAME, SLOWER
from benchkit.points import AGAINST, NUMPY
from benchkit.quantities import duration, rate_text, ratio_text, size_text
from benchkit.results import Record
from benchkit.self_test import sentences

CHANGES = {SLOWER: "slower", FASTER: "faster", SAME: "the same", AMBIGUOUS: "ambiguous"}
WIDE = 96  # columns of a terminal that has room for the rates


def show(
    records: Sequence[Record],
    header: Mapping[str, Any],
    console: Console,
    self_tests: Sequence[Record] = (),
    machines: Sequence[Record] = (),
    checks: Sequence[Record] = (),
    absent: Sequence[str] = (),
) -> None:
    """Print what the self-tests said, the tables of times of each device and dtype, and what was measured in pairs."""
    devices = header["environment"]["devices"]
    for record in self_tests:
        for number, sentence in enumerate(sentences(record)):
            console.print(sentence, style="red" if number else None, highlight=False)
    for chosen in tables_of(records):
        console.print(_times(chosen, devices.get(chosen[0]["device"], "unknown"), rates=console.width >= WIDE))
    console.print(
        "The limit is a sum of two arrays, into a third beside a loss and in place beside a step, of as much memory, timed in "
        "pairs; the share of it, and the GB/s where there is room, are those of the largest size that was measured.",
        soft_wrap=True,
    )
    for record in machines:
        if record["device"] != "cpu":
            console.print(launch_sentence(record), highlight=False)
    if made := compiled(records):
        _show_compile_times(made, console)
    if any(map(is_skipped, records)):
        console.print("- is a point that was not run; the results file says why.")
    for reason in absent:
        console.print(f"Left out: {reason}.", highlight=False, soft_wrap=True)
    if late := late_sentence(records):
        console.print(late, highlight=False, soft_wrap=True)
    _show_pairs(records, console)
    _show_changes(records, header, console)
    for record in checks:
        console.print(check_sentence(record), highlight=False, soft_wrap=True)
    missing = without_accelerator(devices, {record["device"] for record in records if record["status"] == "measured"})
    if missing:
        console.print(missing)
    comparisons = compare_devices(records)
    if comparisons:
        _show_comparisons(comparisons, sorted({size for one in comparisons for size in one.ratios}), console)


def late_sentence(records: Iterable[Record]) -> str:
    """Which points a run had no time left for, and how to get them; empty where there are none."""
    rows: dict[str, list[int]] = {}
    for record in records:
        if record.get("late"):
            rows.setdefault(_kind_of_late(record), []).append(record["size"])
    if not rows:
        return ""
    named = "; ".join(f"{len(sizes)} {what}" for what, sizes in rows.items())
    count = sum(map(len, rows.values()))
    return f"The time of the run was used up before {count} points: {named}. The same command with --resume measures them."


def _kind_of_late(record: Mapping[str, Any]) -> str:
    """What points that were left out have in common: ``compiled, float32, 1e6``."""
    return ", ".join((record["path"], record["dtype"], record["workload"] or size_text(record["size"])))


def launch_sentence(record: Mapping[str, Any]) -> str:
    """What a launch costs on a device."""
    host, device = duration(record["launch_host_s"]), duration(record["launch_device_s"])
    return (
        f"Launch on {record['device']}: the host needs {host} for a kernel, the device {device} for one that adds one number."
    )


def check_sentence(record: Mapping[str, Any]) -> str:
    """What another harness says of a row."""
    agrees = {True: "agrees", False: "disagrees", None: "does not tell within the time"}[record["agrees"]]
    return (
        f"{record['harness']} {agrees}: {record['item']} {_what(record)} {column(record)} on {record['device']}, "
        f"{duration(record['theirs_s'])} for our {duration(record['ours_s'])}, {interval_text(record)} times, "
        f"meant within {100 * record['within']:.0f} %."
    )


def interval_text(pairs: Mapping[str, Any]) -> str:
    """A ratio with its interval: ``1.05 [1.04, 1.06]``."""
    return f"{ratio_text(pairs['ratio'])} [{ratio_text(pairs['ratio_low'])}, {ratio_text(pairs['ratio_high'])}]"


def goal_text(versus: Mapping[str, Any]) -> str:
    """What a ratio is meant to be at most, and whether it is known to miss it."""
    if not versus.get("goal"):
        return ""
    return f"≤ {versus['goal']:g}{', missed' if versus['ratio_low'] > versus['goal'] else ''}"


def column(record: Mapping[str, Any]) -> str:
    """The heading under which a record stands: its size, or the workload that has a size of its own."""
    return str(record["workload"]) if record.get("fixed") else size_text(record["size"])


def tables_of(records: Sequence[Record]) -> list[list[Record]]:
    """The records of each table: of one device, one dtype, and rows that have the same columns."""
    rows: dict[tuple[str, ...], list[Record]] = {}
    for record in records:
        rows.setdefault((record["device"], record["dtype"], record["item"], _what(record)), []).append(record)
    tables: dict[tuple[Any, ...], list[Record]] = {}
    for (device, dtype, *_), row in rows.items():
        columns = () if row[0].get("fixed") else tuple(sorted({record["size"] for record in row}))
        tables.setdefault((device, dtype, bool(columns), columns), []).extend(row)
    order = sorted(tables, key=lambda key: (key[0] != "cpu", not key[2], key[1] != "float32", -len(key[3])))
    return [tables[key] for key in order]


def _times(records: Sequence[Record], model: str, rates: bool) -> Table:
    """One table: items with their rows below, one column for each size or workload, and with ``rates`` one for GB/s."""
    device, dtype = records[0]["device"], records[0]["dtype"]
    threads = {str(record["threads"]) for record in records if record["status"] == "measured"}
    title = f"Median time, {dtype} on {device} ({model})"
    title += f", CPU threads: {' or '.join(sorted(threads))}" if threads else ""
    columns = list(dict.fromkeys(map(column, sorted(records, key=lambda record: record["size"]))))
    table = _table(title, [*columns, *(["GB/s"] if rates else []), "limit"])
    for item, rows in by_item(records).items():
        table.add_row(f"[bold]{item}[/bold]")
        for what, cells in rows.items():
            measured = [cells[c] for c in columns if c in cells and cells[c]["status"] == "measured"]
            rate, share = (measured[-1].get(name) if measured else None for name in ("gb_per_s", "roof_share"))
            found = [_cell(cells.get(c)) for c in columns]
            found = [*found, rate_text(rate) if rate else ""] if rates else [text.replace(" ", "") for text in found]
            table.add_row(f"  {what}", *found, f"{100.0 * share:.0f} %" if share else "")
    return table


def _table(title: str, columns: Iterable[str], first: str = "item") -> Table:
    """A table with one wide column and narrow numbers, for a terminal of 80 columns."""
    table = Table(title=title, title_justify="left", box=box.SIMPLE_HEAD, pad_edge=False, padding=(0, 1, 0, 0))
    table.add_column(first, no_wrap=True)
    for heading in columns:
        table.add_column(heading, justify="right", no_wrap=True)
    return table


def by_item(records: Iterable[Record]) -> dict[str, dict[str, dict[str, Record]]]:
    """Records by item, by what was done (the path of a step, the operation of a loss) and by column, in order of the
    alphabet."""
    found: dict[str, dict[str, dict[str, Record]]] = {}
    for record in sorted(records, key=lambda record: (record["item"].lower(), record["operation"])):
        found.setdefault(record["item"], {}).setdefault(_what(record), {})[column(record)] = record
    return found


def _what(record: Mapping[str, Any]) -> str:
    path = {"eager": "", NUMPY: "in numpy"}.get(record["path"], record["path"])
    of_row = "" if record.get("fixed") else record.get("workload", "")
    return " ".join(word for word in (record["operation"], path, of_row) if word)


def whole(record: Mapping[str, Any]) -> str:
    """Everything that tells a record apart, in a few words: float32 and the CPU go without saying."""
    beside = [record[name] for name, usual in (("dtype", "float32"), ("device", "cpu")) if record[name] != usual]
    return " ".join((record["item"], _what(record), column(record), *beside))


def short(record: Mapping[str, Any]) -> str:
    """What tells rows of the reference apart, which are all of a forward pass on the CPU."""
    words = (record["item"], "" if record.get("fixed") else record["workload"], column(record))
    return " ".join((*filter(None, words), *([record["dtype"]] if record["dtype"] != "float32" else [])))


def is_skipped(record: Mapping[str, Any]) -> bool:
    return record.get("status") == "skipped"


def paired(records: Iterable[Record]) -> list[Record]:
    """The rows of another implementation that were timed in pairs with torch on the same device."""
    return [record for record in _beside_torch(records) if record["path"].startswith(AGAINST)]


def references_of(records: Iterable[Record]) -> list[Record]:
    """The rows of the reference in numpy that were timed in pairs with torch."""
    return [record for record in _beside_torch(records) if record["path"] == NUMPY]


def _beside_torch(records: Iterable[Record]) -> list[Record]:
    rows = [record for record in records if (record.get("versus") or {}).get("device") == record["device"]]
    return sorted(rows, key=lambda record: (record["item"].lower(), record["operation"], record["size"]))


def threads_of(references: Iterable[Record]) -> str:
    """The threads that torch has beside the reference where it has more than one: ``2 threads``."""
    counts = {record["versus"]["all_threads"]["threads"] for record in references if record["versus"].get("all_threads")}
    return f"{' or '.join(map(str, sorted(counts)))} threads" if counts else ""


def all_threads_text(versus: Mapping[str, Any]) -> str:
    """The ratio of the reference to torch on all its threads."""
    return ratio_text(versus["all_threads"]["ratio"]) if versus.get("all_threads") else ""


def compiled(records: Iterable[Record]) -> list[Record]:
    """The rows that a compiler made."""
    return [record for record in records if record.get("compile_s")]


def changed(records: Iterable[Record]) -> list[Record]:
    """The rows that were compared with an earlier run: slower and faster ones first, and the largest change first."""
    rows = [record for record in records if "ratio" in (record.get("change") or {})]
    order = list(CHANGES)
    return sorted(rows, key=lambda row: (order.index(row["change"]["verdict"]), -abs(math.log(row["change"]["ratio"]))))


def change_sentence(changes: Iterable[Record]) -> str:
    """How many rows have which verdict since an earlier run: ``Of 4 rows 1 is slower, 2 are the same, 1 is ambiguous.``"""
    counts = Counter(record["change"]["verdict"] for record in changes)
    named = (f"{counts[verdict]} {'is' if counts[verdict] == 1 else 'are'} {words}" for verdict, words in CHANGES.items())
    return f"Of {sum(counts.values())} rows {', '.join(named)}."


def _cell(record: Record | None) -> str:
    return duration(record["median_s"]) if record and record["status"] == "measured" else "-"


def _show_compile_times(records: Sequence[Record], console: Console) -> None:
    """The seconds that the compiler took, which are no part of the times."""
    table = _table("Compile time, not part of the times above", ["compiler", "a run"])
    for record in records:
        table.add_row(whole({**record, "path": "eager"}), duration(record["compile_s"]), duration(record["median_s"]))
    console.print(table)


def _show_pairs(records: Sequence[Record], console: Console) -> None:
    """Another implementation, or the reference, beside torch: both times, the ratio and the verdict."""
    if references := references_of(records):
        threads = threads_of(references)
        table = _table(
            "The reference in numpy, in pairs with torch on one thread: time / time of torch"
            f"{f', then of torch on {threads}' if threads else ''}, 99 % interval",
            ["one thread", "meant", *([threads] if threads else [])],
        )
        for record in references:
            versus = record["versus"]
            found = interval_text(versus) + (" (in doubt)" if record["doubts"] else "")
            table.add_row(short(record), found, goal_text(versus), *([all_threads_text(versus)] if threads else []))
        console.print(table)
    if others := paired(records):
        table = _table("In pairs with torch: time / time of torch, 99 % interval", ["ratio", "is"])
        for record in others:
            verdict = record["versus"]["verdict"] + (" (in doubt)" if record["doubts"] else "")
            table.add_row(whole(record), interval_text(record["versus"]), verdict)
        console.print(table)
        lines = [" ".join((_what(record).replace(AGAINST, ""), column(record))) for record in others]
        console.print(compared(others, lines, "the other"), highlight=False, soft_wrap=True)
    refused = [record for record in records if is_skipped(record) and record["path"].startswith(AGAINST)]
    for reason in dict.fromkeys(record["reason"] for record in refused):
        console.print(f"Not run: {reason}", highlight=False, soft_wrap=True)


def _show_changes(records: Sequence[Record], header: Mapping[str, Any], console: Console) -> None:
    """What has become slower or faster since an earlier run, relative to the yardstick of each row."""
    rows = [record for record in records if record.get("change")]
    if not rows:
        return
    then = header["compared_with"]  # the environment of the earlier run
    for sentence in (
        "Since the earlier run: how many times longer a kernel takes, relative to the sum of as much memory beside it. No "
        f"stored time is believed; below {100 * history.FLOOR:.0f} % nothing is called a change.",
        f"Not the same surroundings: {differ}." if (differ := history.elsewhere(then, header["environment"])) else "",
    ):
        if sentence:
            console.print(sentence, highlight=False, soft_wrap=True)
    if told := [record for record in changed(rows) if record["change"]["verdict"] in (SLOWER, FASTER)]:
        table = _table("Ratio of ratios, 99 % intervals of both, seen twice", ["change", "is"])
        for record in told:
            table.add_row(whole(record), interval_text(record["change"]), record["change"]["verdict"])
        console.print(table)
    console.print(change_sentence(changed(rows)), highlight=False, soft_wrap=True)
    for reason in dict.fromkeys(record["change"]["reason"] for record in rows if "reason" in record["change"]):
        console.print(f"Not compared: {reason}.", highlight=False)


def _show_comparisons(comparisons: Sequence[Comparison], sizes: Sequence[int], console: Console) -> None:
    """One table for each device and dtype; below a row the same with the transfer of its inputs."""
    for device, dtype in dict.fromkeys((one.device, one.dtype) for one in comparisons):
        title = f"CPU time / {device} time in pairs, {dtype}: above 1 {device} is faster"
        table = _table(title, [*map(size_text, sizes), "wins from"])
        rows = [one for one in comparisons if (one.device, one.dtype) == (device, dtype)]
        for item in dict.fromkeys(one.item for one in rows):
            table.add_row(f"[bold]{item}[/bold]")
            for one in (one for one in rows if one.item == item):
                words = (one.operation, "" if one.path == "eager" else one.path, one.workload)
                name = " ".join(filter(None, words))
                for what, ratios, wins in ((name, one.ratios, one.wins_from), ("  + inputs", one.loaded, one.loaded_wins_from)):
                    if ratios:
                        cells = [f"{ratios[size][0]:.3g}" if size in ratios else "-" for size in sizes]
                        table.add_row(f"  {what}", *cells, "never" if wins is None else size_text(wins))
        console.print(table)
    console.print("+ inputs: they come from the host first, and the host waits for the answer.")
