"""Our samples in the types of ``torch.utils.benchmark``, for its table and for whatever else reads them.

``Measurement`` and ``Compare`` hold and print samples well, with digits that the spread allows. They know neither pairs nor
intervals, so that ratios and verdicts stay ours.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any


def measurement(samples_s: Sequence[float], *, label: str, row: str, column: str, threads: int) -> Any:
    """A ``Measurement`` of samples that are seconds of one call; the table has a line ``row`` and a column ``column``."""
    from torch.utils.benchmark.utils.common import Measurement, TaskSpec

    task = TaskSpec(stmt="", setup="", label=label, sub_label=row, description=column, num_threads=threads)
    return Measurement(number_per_run=1, raw_times=list(samples_s), task_spec=task)


def compared(records: Sequence[Mapping[str, Any]], rows: Sequence[str], this: str) -> str:
    """torch's table of rows that were timed in pairs with torch: one column for torch and one for ``this``."""
    from torch.utils.benchmark import Compare

    found = []
    for record, row in zip(records, rows, strict=True):
        for column, samples in (("torch", record["versus"]["samples_s"]), (this, record["samples_s"])):
            found.append(measurement(samples, label=record["item"], row=row, column=column, threads=record["threads"]))
    table = Compare(found)
    table.trim_significant_figures()
    return str(table).strip()
