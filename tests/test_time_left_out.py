"""Points that a run had no time left for: a continued run measures them, and the tables say which they are."""

import dataclasses

from benchkit import points, time_tables, timing
from benchkit.points import Kernel, Point
from benchkit.request import Request
from benchkit.results import read


def request(tmp_path, resume):
    """A small run."""
    return Request("lossbench", "time", items=(), reports=tmp_path, level="quick", resume=resume)


def test_resumed_run_measures_what_no_time_was_left_for(tmp_path, monkeypatch):
    """What an earlier run was too late for is measured by the next one, once; what it skipped for another reason stays,
    and what is late again is not written again."""
    made = []

    def build(point):
        made.append(point.size)
        if point.size == 2:
            raise RuntimeError("refused")
        return Kernel(lambda: None, point.size, 0)

    monkeypatch.setattr(timing, "_tested", lambda run, device, lab: {"device": device, "problems": [], "same": {}})
    monkeypatch.setattr(timing, "_machine", lambda run, device, lab: {"device": device})
    monkeypatch.setattr(timing, "_cross_checks", lambda run, lab, rows: [])
    monkeypatch.setattr(timing, "show", lambda *what: None)
    effort = points.EFFORTS["quick"]
    three = [Point("A", "a", "forward", "eager", "cpu", "float32", size) for size in (1, 2, 3)]

    def run(run_s, resume):
        monkeypatch.setitem(points.EFFORTS, "quick", dataclasses.replace(effort, run_s=run_s, cross_checks=0))
        made.clear()
        timing.time_points(request(tmp_path, resume), three, build)
        return read(request(tmp_path, resume).results_file)

    late = run(-1.0, resume=False)
    assert [record.get("late") for record in late.of("time")] == [True, True, True]
    told = time_tables.late_sentence(late.of("time"))
    assert "before 3 points: 1 eager, float32, 1; 1 eager, float32, 2; 1 eager, float32, 3." in told
    assert "--resume" in told
    assert len(run(-1.0, resume=True).records) == len(late.records)
    assert made == []

    found = run(60.0, resume=True).of("time")
    assert [(record["size"], record["status"], record.get("late")) for record in found] == [
        (1, "measured", None), (2, "skipped", None), (3, "measured", None),
    ]  # fmt: skip
    assert time_tables.late_sentence(found) == ""
    assert len(run(60.0, resume=True).of("time")) == 3
    assert made == []
