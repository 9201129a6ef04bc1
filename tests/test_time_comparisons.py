"""What is timed beside something else: another device, another class, the reference, an earlier run, another harness.

The clocks here are made up, so that no test judges a time of this machine.
"""

from __future__ import annotations

import dataclasses
import io
import json
import subprocess
import sys
import types

import fake_device
import numpy as np
import pytest
import torch
from rich.console import Console

import lossbench.plots
import lossbench.timing
import optimbench.convergence.plot
import optimbench.timing
from benchkit import compiling, history, points, self_test, site, time_figures, time_tables, timing
from benchkit.cross_check import cross_check, spread_evenly
from benchkit.device_ratios import Comparison, compare_devices, wins_from
from benchkit.request import RIGHT, Request, UsageError
from benchkit.results import Run, read
from benchkit.sampling import Sample
from lossbench.cli import SIDE as LOSSES

SIDES = {"lossbench": (lossbench.timing, ("MSELoss", "L1Loss")), "optimbench": (optimbench.timing, ("SGD", "Adam"))}


def steady(run, calls):
    """A clock on which everything takes a tenth of a millisecond."""
    run()
    return Sample(1e-4)


@pytest.fixture
def quick(monkeypatch):
    """Runs that take little time, by a clock that reads the same for everything."""
    # On such a clock all is decided at once, so that no budget is spent.
    monkeypatch.setitem(points.EFFORTS, "quick", points.Effort(5.0, 600.0, 5.0, 60.0, 5.0, 1))
    monkeypatch.setattr(timing, "clock", lambda device: steady)
    monkeypatch.setattr(self_test, "spin", lambda: None)


def asked(tmp_path, suite="lossbench", **changes):
    items = SIDES[suite][1]
    small = Request(suite, "time", items=items, reports=tmp_path, level="quick", extra={"size": (1000, 2000)})
    return dataclasses.replace(small, **changes)


def run(request):
    assert SIDES[request.suite][0].time(request) == RIGHT
    return read(request.results_file)


# ---- another device ----------------------------------------------------------------------------------------------------------


@pytest.fixture
def waited(quick, monkeypatch):
    monkeypatch.setitem(points.EFFORTS, "quick", points.Effort(0.01, 600.0, 0.02, 60.0, 0.02, 1))
    return fake_device.install(monkeypatch)


@pytest.mark.parametrize("suite", SIDES)
def test_a_device_is_timed_in_pairs_with_the_cpu(tmp_path, waited, capsys, suite):
    """Every row of the device has its ratio with an interval, with and without the transfer; tables and figures follow."""
    results = run(asked(tmp_path, suite, devices=("cpu", fake_device.NAME)))
    there = [record for record in results.of("time") if record["device"] == fake_device.NAME]
    printed = capsys.readouterr().out

    assert len(there) * 2 == len(results.of("time"))
    for record in there:
        assert record["status"] == "measured", record
        for pairs in (record["versus"], record["loaded"]):
            assert pairs["device"] == "cpu"
            assert pairs["ratio_low"] <= pairs["ratio"] <= pairs["ratio_high"]
    assert waited.count(fake_device.NAME) > len(there)  # the transfer is waited for
    assert {record["device"] for record in results.of("machine")} == {"cpu", fake_device.NAME}
    assert "Launch on fake" in printed
    assert "+ inputs" in printed
    assert "wins from" in printed

    subject = (lossbench.plots if suite == "lossbench" else optimbench.convergence.plot).SUBJECT
    request = Request(suite, "plot", reports=tmp_path)
    with Run.open(request) as figures:
        drawn = [record["id"] for record in time_figures.plot(request, subject, figures)]
        figures.end()
    family = "regression" if suite == "lossbench" else "optimizers"
    for name in (f"time-{suite}-{family}-cpu", f"time-{suite}-{family}-fake", f"ratio-{suite}-{family}-fake"):
        assert name in drawn
    assert {f"roofline-{suite}-cpu", f"roofline-{suite}-fake"} <= {*drawn}
    page = site.render(tmp_path).read_text(encoding="utf-8")
    assert f'id="figure-ratio-{suite}-{family}-fake"' in page
    assert "CPU time divided by device time" in page
    assert (tmp_path / "history.html").exists()


def test_without_a_device_no_ratio_is_drawn(tmp_path, quick):
    """On the CPU alone there are no ratios and no figures of them."""
    run(asked(tmp_path))
    request = Request("lossbench", "plot", reports=tmp_path)
    with Run.open(request) as figures:
        drawn = [record["id"] for record in time_figures.plot(request, lossbench.plots.SUBJECT, figures)]

    assert drawn
    assert not [name for name in drawn if name.startswith("ratio") or "fake" in name]


def test_what_the_cpu_does_not_measure_is_not_compared(tmp_path, waited, monkeypatch):
    """A point that the CPU refuses stands alone on the device, and says why."""
    real = lossbench.timing.kernels.build

    def build(item, operation, device, *rest, **how):
        if device == "cpu":
            raise RuntimeError("no such kernel")
        return real(item, operation, device, *rest, **how)

    monkeypatch.setattr(lossbench.timing.kernels, "build", build)
    results = run(asked(tmp_path, devices=("cpu", fake_device.NAME)))
    there = [record for record in results.of("time") if record["device"] == fake_device.NAME]

    assert {record["versus"]["reason"] for record in there} == {"there is no time of that point"}
    assert compare_devices(results.of("time")) == []


@pytest.mark.parametrize(
    ("lows", "expected"),
    [
        ((2.0, 2.0, 2.0), 1000),
        ((0.2, 2.0, 2.0), 10**4),
        ((2.0, 0.2, 2.0), 10**5),
        ((2.0, 2.0, 0.2), None),
        ((1.0, 1.0, 1.0), None),
    ],
)
def test_device_wins_from_the_size_after_which_it_never_loses(lows, expected):
    """The lower end of the interval decides, at every larger size too."""
    ratios = {size: (low * 1.5, low, low * 2.0) for size, low in zip((1000, 10**4, 10**5), lows, strict=True)}

    assert wins_from(ratios) == expected
    assert Comparison("A", "forward", "eager", "float32", "cuda", "", ratios, {}).wins_from == expected


def test_ratios_of_devices_are_turned_round():
    """A record holds device time over CPU time; the table says how many times faster the device is."""
    pairs = {"device": "cpu", "ratio": 0.5, "ratio_low": 0.25, "ratio_high": 1.0}
    names = {"item": "A", "operation": "forward", "path": "eager", "dtype": "float32", "workload": "", "device": "cuda"}
    row = {**names, "size": 10, "status": "measured", "versus": pairs}
    (found,) = compare_devices([row, {**row, "status": "skipped", "size": 20}, {**row, "versus": {}, "size": 30}])

    assert found.ratios == {10: (2.0, 1.0, 4.0)}


# ---- another class, and the reference ----------------------------------------------------------------------------------------


class Twice(torch.nn.MSELoss):
    """The same, computed twice; float16 it does not know."""

    def forward(self, input, target):
        if input.dtype is torch.float16:
            raise TypeError("halves are for others")
        super().forward(input, target)
        return super().forward(input, target)


class TwoSteps(torch.optim.SGD):
    """Two steps instead of one."""

    def step(self, closure=None):
        super().step(closure)
        return super().step(closure)


@pytest.fixture
def counting(quick, monkeypatch):
    """A clock that reads how often torch was asked for a loss or a step."""
    calls = []
    for owner, name in ((torch.nn.MSELoss, "forward"), (torch.optim.SGD, "step")):
        real = getattr(owner, name)
        monkeypatch.setattr(owner, name, lambda *a, _real=real, **k: (calls.append(1), _real(*a, **k))[1])

    def clock(run, count):
        before = len(calls)
        for _ in range(count):
            run()
        return Sample(1e-4 * (len(calls) - before) / count or 1e-4)

    monkeypatch.setattr(timing, "clock", lambda device: clock)


@pytest.mark.parametrize(("suite", "item", "other"), [("lossbench", "MSELoss", "Twice"), ("optimbench", "SGD", "TwoSteps")])
def test_another_class_is_timed_beside_torch(tmp_path, counting, capsys, suite, item, other):
    """Twice the work is slower by two; the exit status is right whatever the verdict is."""
    extra = {"size": (1000,), "against": f"{__name__}:{other}"}
    results = run(asked(tmp_path, suite, items=(item,), extra=extra))
    printed = capsys.readouterr().out

    assert results.of("time")
    for record in results.of("time"):
        assert record["path"].startswith("against ")
        assert record["versus"]["verdict"] == "slower"
        assert record["versus"]["ratio"] == pytest.approx(2.0)
    assert "In pairs with torch" in printed
    assert "2 [2, 2]" in printed
    assert "the other" in printed  # torch's own table of the samples
    assert "Times are in microseconds" in printed


def test_what_another_class_refuses_is_told(tmp_path, counting, capsys):
    """Its own words, once, and the other rows are there."""
    extra = {"size": (1000,), "against": f"{__name__}:Twice", "dtypes_given": True}
    results = run(asked(tmp_path, items=("MSELoss",), dtypes=("float32", "float16"), extra=extra))

    assert {record["dtype"]: record["status"] for record in results.of("time")} == {"float32": "measured", "float16": "skipped"}
    assert "halves are for others" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["--against", "mylosses:Mean"], "--against mylosses:Mean needs exactly one ITEM"),
        (["MSELoss", "--against", "nosuchmodule:Mean"], "there is no module 'nosuchmodule' for --against"),
        (["MSELoss", "--against", "torch.nn:MSEloss"], "did you mean MSELoss"),
        (["MSELoss", "--against", "torch:pi"], "--against 'torch:pi' is a float"),
        (["MSELoss", "--allocator", "mine"], "unknown allocator 'mine'"),
        (["MSELoss", "--path", "fused"], "unknown path 'fused' for time; it must be one of eager"),
        (["MSELoss", "--compare", "nothing.jsonl"], "cannot read the results file nothing.jsonl"),
    ],
)
def test_wrong_options_are_told_in_one_sentence(tmp_path, cli, words, says):
    result = cli(LOSSES, "time", *words, "--device", "cpu", "--reports", str(tmp_path))

    assert result.exit_code == 2
    assert says in result.stderr
    assert len(result.stderr.splitlines()) == 1


def test_the_reference_stands_in_the_same_table(tmp_path, quick, capsys):
    """The row of numpy has the ratio to torch, and what it is meant to be."""
    results = run(asked(tmp_path, items=("MSELoss",), extra={"size": (1000,), "path": ("eager", "numpy")}))
    (ours,) = [record for record in results.of("time") if record["path"] == "numpy"]
    printed = capsys.readouterr().out

    assert ours["versus"]["goal"] == 5.0
    assert ours["versus"]["ratio"] == 1.0
    assert "forward in numpy" in printed
    assert "≤ 5" in printed


def test_the_reference_is_timed_beside_one_thread_and_beside_all(tmp_path, quick, monkeypatch, capsys):
    """numpy has one thread: the goal is about torch on one too, and the ratio to all its threads stands beside it."""
    usual, seen = torch.get_num_threads(), []
    compare = timing.compare

    def watched(*given, **named):
        seen.append(torch.get_num_threads())
        return compare(*given, **named)

    monkeypatch.setattr(timing, "compare", watched)
    torch.set_num_threads(3)
    try:
        results = run(asked(tmp_path, items=("MSELoss",), extra={"size": (1000,), "path": ("numpy",)}))
        left = torch.get_num_threads()
    finally:
        torch.set_num_threads(usual)
    (ours,) = results.of("time")

    assert (seen, left) == ([1, 3], 3)
    assert ours["versus"]["threads"] == 1
    assert ours["versus"]["all_threads"]["threads"] == 3
    assert "3 threads" in capsys.readouterr().out
    assert "ratio to torch on 3 threads" in site.render(tmp_path).read_text(encoding="utf-8")


# ---- an earlier run ----------------------------------------------------------------------------------------------------------


def rewritten(path, change):
    """The results file with every ``time`` record changed."""
    lines = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    changed = [line | change(line) if line["kind"] == "time" else line for line in lines]
    target = path.parent / "earlier.jsonl"
    target.write_text("".join(json.dumps(line) + "\n" for line in changed), encoding="utf-8")
    return target


def scaled(factor):
    """Ratios to the yardstick as if the kernel had taken ``factor`` times as long."""
    names = [f"roof_ratio{end}" for end in ("", "_low", "_high")]
    return lambda record: {name: record[name] * factor for name in names}


@pytest.mark.parametrize(
    ("change", "verdict"),
    [
        (scaled(1.0), "same"),
        (scaled(0.5), "slower"),
        (scaled(2.0), "faster"),
        (lambda record: {"median_s": 1e-9, "min_s": 1e-9, "gb_per_s": 1e6}, "same"),
        (lambda record: {"roof_ratio_low": 0.0, "roof_ratio_high": "inf"}, "ambiguous"),
    ],
    ids=["same", "slower", "faster", "absolute times do not count", "an earlier run that does not know"],
)
def test_an_earlier_run_is_compared_by_ratios(tmp_path, quick, capsys, change, verdict):
    """The verdict follows from how a kernel stands to its yardstick, then and now, and from nothing else."""
    first = asked(tmp_path)
    run(first)
    earlier = rewritten(first.results_file, change)
    now = run(asked(tmp_path / "now", extra={"compare": str(earlier)}))

    assert {record["id"] for record in now.of("time")} == {record["id"] for record in read(earlier).of("time")}
    assert {record["change"]["verdict"] for record in now.of("time")} == {verdict}
    printed = capsys.readouterr().out
    assert ("Ratio of ratios" in printed) == (verdict in ("slower", "faster"))
    assert f"are {'the same' if verdict == 'same' else verdict}" in printed
    looks = {len(record["change"].get("looks", [])) for record in now.of("time") if "again" in record}
    assert looks == ({2} if verdict in ("slower", "faster") else set())


def test_a_change_that_is_seen_only_once_is_none():
    """A second look has the last word on the ratio, and both must say the same."""
    first = {"ratio": 1.4, "ratio_low": 1.2, "ratio_high": 1.5, "verdict": "slower"}
    second = {"ratio": 1.02, "ratio_low": 0.98, "ratio_high": 1.05, "verdict": "same"}

    assert history.seen_twice(first, first)["change"]["verdict"] == "slower"
    assert history.seen_twice(first, second)["change"] == second | {"verdict": "ambiguous", "looks": [1.4, 1.02]}


def test_another_yardstick_is_not_compared(tmp_path, quick, capsys):
    first = asked(tmp_path)
    run(first)
    earlier = rewritten(first.results_file, lambda record: {"roof_bytes": 1})
    now = run(asked(tmp_path / "now", extra={"compare": str(earlier)}))

    assert all("moved 1 bytes then" in record["change"]["reason"] for record in now.of("time"))
    assert "Not compared" in capsys.readouterr().out


def test_a_run_that_has_nothing_in_common_is_refused(tmp_path, quick):
    first = asked(tmp_path)
    run(first)
    for wrong in (
        asked(tmp_path / "a", items=("CTCLoss",)),
        asked(tmp_path / "a", suite="optimbench", items=("SGD",)),
        asked(tmp_path / "a", devices=("cuda",)),
    ):
        side = SIDES[wrong.suite][0]
        with pytest.raises(UsageError, match="cannot compare with"):
            side.time(dataclasses.replace(wrong, extra={"compare": str(first.results_file)}))


def test_other_surroundings_are_named():
    then = {"cpu": "A", "threads": 2, "torch": "2.12"}

    assert history.elsewhere(then, dict(then)) == ""
    assert history.elsewhere(then, then | {"cpu": "B"}) == "cpu A then, B now"


def test_finished_runs_are_kept_and_traced(tmp_path, quick, monkeypatch):
    """Every finished run is in the history once; rows that two runs share have a ratio in each."""
    moments = iter(("2026-01-01T00:00:00+00:00", "2026-01-02T00:00:00+00:00"))
    for _ in range(2):
        request = asked(tmp_path)
        run(request)
        lines = request.results_file.read_text(encoding="utf-8").splitlines()
        header = json.loads(lines[0])
        header["environment"]["time"] = next(moments)
        request.results_file.write_text("\n".join([json.dumps(header), *lines[1:]]) + "\n", encoding="utf-8")
        for old in (tmp_path / "history").glob("*"):
            if "20260" not in old.name:
                old.unlink()
        history.keep(request, header)
    runs = history.stored(tmp_path)
    traces = history.traces(runs)

    assert len(runs) == 2
    assert {trace.item for trace in traces} == {"MSELoss", "L1Loss"}
    assert all(trace.ratios == (1.0, 1.0) for trace in traces)
    assert all("2,000" in trace.what for trace in traces)
    site.render(tmp_path)
    page = (tmp_path / "history.html").read_text(encoding="utf-8")
    assert page.count("2026-01-0") == 2
    assert "MSELoss" in page


# ---- another harness, and other ways to run ----------------------------------------------------------------------------------


class Theirs:
    """Another harness that is off by a factor."""

    name = "theirs"

    def __init__(self, factor):
        self.factor = factor

    def __call__(self, run, calls):
        run()
        return Sample(1e-4 * self.factor)


@pytest.mark.parametrize(("factor", "agrees"), [(1.0, True), (1.05, True), (2.0, False), (0.5, False), (100.0, False)])
def test_a_harness_that_is_wrong_by_a_factor_disagrees(factor, agrees):
    found = cross_check(lambda: None, steady, Theirs(factor), np.random.default_rng(0), 0.1)

    assert found["agrees"] is agrees
    assert found["ratio"] == pytest.approx(factor)
    said = time_tables.check_sentence(found | asked_row())
    assert ("disagrees" in said) is not agrees


def asked_row():
    return {
        "item": "A", "operation": "forward", "path": "eager", "workload": "", "fixed": False, "size": 10, "device": "cpu",
    }  # fmt: skip


def test_torchs_timer_is_asked_in_a_run(tmp_path, quick):
    """Some rows of every run on the CPU have the time of torch's own harness beside ours."""
    checks = run(asked(tmp_path)).of("cross_check")

    assert [check["harness"] for check in checks] == ["torch.utils.benchmark.Timer"]
    assert all(check["theirs_s"] > 0.0 for check in checks)


@pytest.mark.parametrize(("count", "of"), [(1, 5), (3, 5), (5, 5), (6, 5), (4, 100), (3, 0)])
def test_rows_are_spread_evenly(count, of):
    found = spread_evenly(list(range(of)), count)

    assert len(found) == min(count, of)
    assert found == sorted(set(found))
    if count > 1 and of:
        assert (found[0], found[-1]) == (0, of - 1)


def test_what_the_compiler_refuses_is_a_skipped_row(tmp_path, quick, monkeypatch):
    """The row has the compiler's words, and the rest of the run goes on."""

    def refuse(function):
        def fail(*args):
            raise ValueError("no such graph\nand more")

        return fail

    monkeypatch.setattr(torch, "compile", refuse)
    results = run(asked(tmp_path, extra={"size": (1000,), "path": ("eager", "compiled")}))
    by_path = {path: {r["status"] for r in results.of("time") if r["path"] == path} for path in ("eager", "compiled")}

    assert by_path == {"eager": {"measured"}, "compiled": {"skipped"}}
    reasons = {record["reason"] for record in results.of("time") if record["path"] == "compiled"}
    assert reasons == {"RuntimeError: torch.compile fails: ValueError: no such graph"}


@pytest.mark.parametrize("suite", SIDES)
def test_compile_time_is_apart(tmp_path, quick, capsys, suite):
    """A compiled row has its compile time in a field of its own, which is no part of the median."""
    results = run(asked(tmp_path, suite, items=SIDES[suite][1][:1], extra={"size": (1000,), "path": ("compiled",)}))

    for record in results.of("time"):
        assert record["status"] == "measured", record
        assert record["compile_s"] > 0.0
        assert record["median_s"] == 1e-4
    assert "Compile time" in capsys.readouterr().out


def test_a_graph_needs_a_device_that_has_them():
    with pytest.raises(RuntimeError, match="cpu has no graphs"):
        compiling.graph(lambda: None, "cpu")


def test_a_graph_is_captured_after_warming_up(monkeypatch):
    """The calls that warm up are made on a stream of their own; one is captured, and a replay makes none."""
    said: list[str] = []

    class Part:
        def __init__(self, name):
            self.name = name

        def __enter__(self):
            said.append(f"into {self.name}")

        def __exit__(self, *_):
            said.append(f"out of {self.name}")

        def wait_stream(self, other):
            said.append(f"{self.name} waits for {other.name}")

        def replay(self):
            said.append("replay")

    parts = {name: Part(name) for name in ("beside", "main", "graph")}
    module = types.SimpleNamespace(
        CUDAGraph=lambda: parts["graph"],
        Stream=lambda: parts["beside"],
        current_stream=lambda: parts["main"],
        stream=lambda one: one,
        graph=lambda one: one,
    )
    monkeypatch.setattr(torch, fake_device.NAME, module, raising=False)
    run = compiling.graph(lambda: said.append("run"), fake_device.NAME)
    run()

    warm = ["run"] * compiling.WARM_UP_CALLS
    assert said == [
        "beside waits for main", "into beside", *warm, "out of beside", "main waits for beside",
        "into graph", "run", "out of graph", "replay",
    ]  # fmt: skip


def test_memory_that_is_not_there_is_not_asked_for(tmp_path, quick, monkeypatch):
    """A point that may not fit is skipped with what it needs and what there is."""
    monkeypatch.setattr(timing, "free_bytes", lambda device: 1e4)
    results = run(asked(tmp_path))

    assert {record["status"] for record in results.of("time")} == {"skipped"}
    assert all("GB left" in record["reason"] for record in results.of("time"))


def test_a_kept_heap_is_recorded(tmp_path):
    """The allocator that was asked for is in every row, or there is none and the run says so."""
    words = ["L1Loss", "--device", "cpu", "--size", "1000", "--level", "quick", "--allocator", "keep"]
    command = [sys.executable, "-m", "lossbench", "time", *words, "--reports", str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=240, check=False)
    if done.returncode == 2:
        assert "needs glibc" in done.stderr
        return
    assert done.returncode == 0, done.stderr
    records = read(tmp_path / "lossbench-time.jsonl").of("time")

    assert records
    assert {record["allocator"] for record in records} == {"keep"}


def test_a_failed_self_test_marks_every_row(tmp_path, quick, capsys):
    """On a clock that reads the same for everything, 5 % more work does not show, and every row says so."""
    results = run(asked(tmp_path))

    assert all(record["doubts"] for record in results.of("time"))
    assert "are in doubt" in " ".join(capsys.readouterr().out.split())
    console = Console(file=io.StringIO(), width=100)
    time_tables.show(results.of("time"), results.header, console, results.of("self_test"))
    assert "in doubt" in console.file.getvalue()
