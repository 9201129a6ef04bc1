"""Timing: kernels do the work, records are complete, runs resume, tables compare devices. No test judges a time."""

import dataclasses
import io
import itertools
import math

import pytest
import torch
from rich.console import Console

import lossbench.kernels
import lossbench.timing
import optimbench.kernels
import optimbench.timing
import reference
from benchkit import timing
from benchkit.request import RIGHT, Request
from benchkit.results import read

LOSSES = sorted(reference.LOSSES)
STEPS = [(name, path) for name, item in sorted(reference.OPTIMIZERS.items()) for path in item.paths]
ELEMENTS = 2000


@pytest.mark.parametrize("name", LOSSES)
def test_forward_kernel_computes_unreduced_losses(name):
    """The kernel gives finite losses of about the size asked for, and counts at least reading its input."""
    item = reference.LOSSES[name]
    kernel = lossbench.kernels.build(item, "forward", "cpu", "float32", ELEMENTS)
    losses = kernel.run()

    assert losses.dtype is torch.float32
    assert losses.numel() >= 1
    assert torch.isfinite(losses).all()
    assert not losses.requires_grad
    assert ELEMENTS / 2 <= kernel.elements <= ELEMENTS * 2
    assert kernel.bytes >= 4 * kernel.elements * 0.9


@pytest.mark.parametrize("name", LOSSES)
def test_backward_kernel_computes_gradients_of_training(name):
    """The kernel gives one gradient for each input that training differentiates by, and moves more than the forward pass."""
    item = reference.LOSSES[name]
    forward, both = (
        lossbench.kernels.build(item, operation, "cpu", "float32", ELEMENTS) for operation in lossbench.kernels.OPERATIONS
    )
    gradients = both.run()
    domains = next(iter(item.variants.values()))

    assert len(gradients) == sum(domain.differentiable for key, domain in domains.items() if key != "target")
    assert gradients[0].numel() == both.elements
    assert all(torch.isfinite(gradient).all() for gradient in gradients)
    assert any(gradient.any() for gradient in gradients)
    assert both.bytes > forward.bytes


@pytest.mark.parametrize("name", LOSSES)
@pytest.mark.parametrize("size", [1, 1000, 10**6])
def test_shape_grows_along_one_axis(name, size):
    """Small sizes give one row, large ones the size within the length of a row."""
    item = reference.LOSSES[name]
    shape = lossbench.kernels.shape_of(item, size)

    assert len(shape) == len(item.shapes[0])
    assert min(shape) >= 1
    assert math.prod(shape) == size or abs(math.prod(shape) - size) <= 1000


@pytest.mark.parametrize(("name", "path"), STEPS)
def test_step_kernel_moves_every_parameter(name, path):
    """A step changes the parameters and leaves them finite, on every path that the item declares."""
    kernel = optimbench.kernels.build(reference.OPTIMIZERS[name], path, "cpu", "float32", ELEMENTS)
    before = [parameter.detach().add_(1.0).clone() for parameter in kernel.changes]
    kernel.run()

    assert len(before) == optimbench.kernels.TENSORS
    assert all((new != old).any() for new, old in zip(kernel.changes, before, strict=True))
    assert all(torch.isfinite(parameter).all() for parameter in kernel.changes)
    assert ELEMENTS / 2 <= kernel.elements <= ELEMENTS * 2
    assert kernel.bytes > 0


@pytest.mark.parametrize(("name", "path"), STEPS)
def test_optimizer_takes_the_path_it_is_timed_on(name, path):
    """Only the named implementation is switched on; a class without switches has one path alone."""
    item = reference.OPTIMIZERS[name]
    optimizer = optimbench.kernels.construct(item, [torch.nn.Parameter(torch.ones(2, 3))], path)
    switches = {key: optimizer.defaults[key] for key in ("foreach", "fused") if key in optimizer.defaults}

    assert switches or len(item.paths) == 1
    assert all(value == (key == path) for key, value in switches.items())


def test_closure_kernel_repeats_the_same_work():
    """Optimizers that take a closure start anew every time, so that no repetition finds the minimum already reached."""
    closures = [item for item in reference.OPTIMIZERS.values() if "closure" in item.tags]
    assert closures

    for item in closures:
        kernel = optimbench.kernels.build(item, item.paths[0], "cpu", "float32", ELEMENTS)
        ends = []
        for _ in range(2):
            kernel.run()
            ends.append([parameter.detach().clone() for parameter in kernel.changes])

        assert all(torch.equal(a, b) for a, b in zip(*ends, strict=True))


def request(tmp_path, **changes):
    """A small run of two items in two sizes."""
    default = Request(
        "lossbench", "time", items=tuple(LOSSES[:2]), reports=tmp_path, level="quick", extra={"size": (100, 1000)}
    )
    return dataclasses.replace(default, **changes)


@pytest.mark.parametrize(
    ("suite", "command", "items"),
    [("lossbench", lossbench.timing.time, LOSSES[:1]), ("optimbench", optimbench.timing.time, [STEPS[0][0]])],
)
def test_command_records_every_point(tmp_path, capsys, suite, command, items):
    """Every point is in the results file with its statistics, and the output says that no GPU was there."""
    asked = request(tmp_path, suite=suite, items=tuple(items))
    status = command(asked)
    results = read(asked.results_file)
    points = {"lossbench": lossbench.timing.points, "optimbench": optimbench.timing.points}[suite](asked)
    printed = capsys.readouterr().out

    assert status == RIGHT
    assert results.ended
    assert [record["id"] for record in results.of("time")] == [point.id for point in points]
    for record in results.of("time"):
        assert record["status"] == "measured", record
        assert 0 < record["median_s"] < math.inf
        assert 0 < record["min_s"] <= record["p10_s"] <= record["q1_s"] <= record["median_s"] <= record["q3_s"]
        assert record["iqr_s"] >= 0
        assert record["page_faults"] >= 0
        assert record["allocator"] == "system"
        assert record["doubts"] == results.of("self_test")[0]["problems"]
        assert record["runs"] >= record["samples"] >= 1
        assert record["threads"] == torch.get_num_threads()
        assert record["gb_per_s"] == pytest.approx(record["bytes"] / record["median_s"] / 1e9)
    assert items[0] in printed
    assert "No CUDA device was there" in " ".join(printed.split()) or torch.accelerator.is_available()


def test_resumed_run_measures_only_what_is_missing(tmp_path):
    """After a kill the recorded points stay as they are and the missing ones follow, each once."""
    lossbench.timing.time(request(tmp_path))
    file = request(tmp_path).results_file
    complete = read(file)
    lines = file.read_bytes().splitlines(keepends=True)
    file.write_bytes(b"".join(lines[:4]) + lines[4][:20])
    lossbench.timing.time(request(tmp_path, resume=True))
    resumed = read(file)

    assert resumed.ended
    assert resumed.records[:3] == complete.records[:3]
    assert [record["id"] for record in resumed.of("time")] == [record["id"] for record in complete.of("time")]
    assert [record["id"] for record in resumed.of("self_test")] == ["cpu-1", "cpu-2"]


def test_row_stops_growing_where_a_point_would_take_too_long(tmp_path):
    """A point whose expected time is over the limit is skipped with the reason, and is never built."""
    made = []

    def build(point):
        made.append(point.size)
        return timing.Kernel(lambda: sum(range(1000)), point.size, 0)

    points = [timing.Point("A", "a", "forward", "eager", "cpu", "float32", size) for size in (1, 2, 10**12)]
    asked = request(tmp_path)
    timing.time_points(asked, points, build, Console(file=io.StringIO()))
    records = read(asked.results_file).of("time")

    assert made == [1, 2]
    assert [record["status"] for record in records] == ["measured", "measured", "skipped"]
    assert "a point on the CPU may take 2.00 s" in records[-1]["reason"]
    assert records[0]["gb_per_s"] is None


def test_points_are_skipped_once_the_time_is_used_up(tmp_path, monkeypatch):
    """A run that has no time left says so for every point that it leaves out."""
    monkeypatch.setattr(timing, "SHORTEST_RUN_S", 0.0)
    monkeypatch.setitem(timing.EFFORTS, "quick", timing.Effort(0.01, 0.0, 0.1))
    lossbench.timing.time(request(tmp_path))
    records = read(request(tmp_path).results_file).of("time")

    assert records
    assert all(record["status"] == "skipped" and "used up" in record["reason"] for record in records)


def test_what_torch_refuses_is_recorded_with_its_words(tmp_path):
    """An operation that raises is a skipped point with torch's own message."""

    def build(point):
        raise RuntimeError("not implemented for 'Half'\nand more")

    asked = request(tmp_path)
    timing.time_points(asked, lossbench.timing.points(asked), build, Console(file=io.StringIO()))

    assert {record["reason"] for record in read(asked.results_file).of("time")} == {"RuntimeError: not implemented for 'Half'"}


@pytest.mark.parametrize(
    ("dtypes", "extra", "expected"),
    [
        (None, {}, ("float32",)),
        (("float64",), {"dtypes_given": True}, ("float64",)),
        (None, {"dtypes_given": True}, ("float64", "float32", "bfloat16", "float16")),
    ],
)
def test_dtype_is_float32_unless_named(tmp_path, dtypes, extra, expected):
    asked = request(tmp_path, extra=extra, **({"dtypes": dtypes} if dtypes else {}))

    assert expected == timing.chosen_dtypes(asked)


def test_ids_of_all_points_differ(tmp_path):
    """No two points of a run share an id, so that resuming never takes one for the other."""
    everything = request(tmp_path, items=(), devices=("cpu", "cuda"), extra={"dtypes_given": True})
    for points in (lossbench.timing.points(everything), optimbench.timing.points(everything)):
        assert len(points) == len({point.id for point in points})
        assert [point.size for point in points] == sorted(point.size for point in points)


def record(device, size, median):
    """A measured record of one row."""
    names = {"item": "A", "operation": "forward", "path": "eager", "dtype": "float32"}
    return {
        "status": "measured",
        "device": device,
        "size": size,
        "elements": size,
        "median_s": median,
        "gb_per_s": None,
        **names,
    }


@pytest.mark.parametrize(
    ("cuda", "expected"),
    [
        ((5.0, 5.0, 5.0), 1000),
        ((50.0, 5.0, 5.0), 10**4),
        ((5.0, 50.0, 5.0), 10**5),
        ((5.0, 5.0, 50.0), None),
        ((10.0,) * 3, None),
    ],
)
def test_device_wins_from_the_size_after_which_it_never_loses(cuda, expected):
    sizes = (1000, 10**4, 10**5)
    records = [record("cpu", size, 10.0) for size in sizes] + [
        record("cuda", size, t) for size, t in zip(sizes, cuda, strict=True)
    ]
    (comparison,) = timing.compare_devices(records)

    assert comparison.wins_from == expected
    assert comparison.ratios == {size: 10.0 / t for size, t in zip(sizes, cuda, strict=True)}


def test_comparison_needs_both_devices_at_one_size():
    """Sizes that only one device measured, and skipped points, make no ratio."""
    skipped = {**record("cuda", 1000, 1.0), "status": "skipped"}

    assert timing.compare_devices([record("cpu", 1000, 1.0), record("cuda", 10, 1.0), skipped]) == []


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (1.23456e-8, "12.3 ns"),
        (9.9996e-7, "1.00 µs"),
        (1.5e-5, "15.0 µs"),
        (0.1234, "123 ms"),
        (0.9999, "1.00 s"),
        (2.0, "2.00 s"),
        (345.6, "346 s"),
    ],
)
def test_duration_has_three_digits_and_a_unit(seconds, text):
    assert timing.duration(seconds) == text


@pytest.mark.parametrize(
    ("size", "text"), [(10**3, "1e3"), (10**7, "1e7"), (100, "100"), (1500, "1,500"), (2 * 10**6, "2,000,000")]
)
def test_size_text(size, text):
    assert timing.size_text(size) == text


def test_printed_tables_fit_a_narrow_terminal():
    """Names and numbers are whole in 100 columns, on one device and on two, and the comparison is there."""
    name = max([*reference.LOSSES, *reference.OPTIMIZERS], key=len)
    sizes = (10**3, 10**4, 10**5, 10**6, 10**7)
    rows = [
        (operation, device, size)
        for operation in ("forward", "forward+backward")
        for device in ("cpu", "cuda")
        for size in sizes
    ]
    records = [
        record(device, size, 123e-6 if device == "cpu" else 1e-6)
        | {"item": name, "operation": operation, "gb_per_s": 4321.0, "threads": 16}
        for operation, device, size in rows
    ]
    console = Console(file=io.StringIO(), width=100)
    timing.show(records, {"cpu": "a processor", "cuda": "a GPU"}, console)
    printed = console.file.getvalue()

    assert "…" not in printed
    assert printed.count(name) == 4
    assert printed.count("123 µs") == 10
    assert printed.count(" 123 ") == 20
    assert "a GPU" in printed
    assert "No CUDA device" not in printed


def test_missing_accelerator_is_said_plainly():
    """No device: said. Present but not timed: said, with its name. Timed: nothing to say."""
    cases = itertools.product([{"cpu": "x"}, {"cpu": "x", "cuda": "H200"}], [{"cpu"}, {"cpu", "cuda"}])
    said = [timing.without_accelerator(devices, timed) for devices, timed in cases]

    assert said[0].startswith("No CUDA device was there")
    assert "H200" in said[2]
    assert said[1] == said[3] == ""
