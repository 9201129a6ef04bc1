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
import optimbench.models
import optimbench.parameters
import optimbench.timing
import reference
from benchkit import device_ratios, points, quantities, roof, site, time_tables, timing
from benchkit.attribute import torch_class
from benchkit.points import DTYPES, NUMPY, SIZES, Kernel, Point
from benchkit.request import RIGHT, Request, UsageError
from benchkit.results import read
from benchkit.sampling import Sample

LOSSES = sorted(reference.LOSSES)
STEPS = [(name, path) for name, item in sorted(reference.OPTIMIZERS.items()) for path in item.paths]
ELEMENTS = 2000


@pytest.mark.usefixtures("there")
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


@pytest.mark.usefixtures("there")
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
    assert forward.held == 0  # all that is moved
    assert forward.bytes < both.held < both.bytes


@pytest.mark.parametrize("name", LOSSES)
@pytest.mark.parametrize("size", [1, 1000, 10**6])
def test_shape_grows_along_one_axis(name, size):
    """Small sizes give one row, large ones the size within the length of a row."""
    item = reference.LOSSES[name]
    for lengths in lossbench.kernels.row_lengths(item):
        shape = lossbench.kernels.shape_of(item, size, lengths)
        least = lossbench.kernels.least_size(item, lengths)

        assert len(shape) == len(item.shapes[0])
        assert min(shape) >= 1
        assert math.prod(shape) == least if size < least else abs(math.prod(shape) - size) <= least / 2


@pytest.mark.parametrize(("name", "path"), STEPS)
def test_step_kernel_moves_every_parameter(name, path):
    """A step changes the parameters and leaves them finite, on every path that the item declares."""
    kernel = optimbench.kernels.build(reference.OPTIMIZERS[name], path, "cpu", "float32", ELEMENTS)
    before = [parameter.detach().add_(1.0).clone() for parameter in kernel.changes]
    kernel.run()

    assert len(before) == optimbench.parameters.TENSORS
    assert all((new != old).any() for new, old in zip(kernel.changes, before, strict=True))
    assert all(torch.isfinite(parameter).all() for parameter in kernel.changes)
    assert ELEMENTS / 2 <= kernel.elements <= ELEMENTS * 2
    assert kernel.bytes > 0


@pytest.mark.parametrize("name", [name for name, item in reference.OPTIMIZERS.items() if not item.tags & {"closure", "sparse"}])
def test_step_kernel_holds_what_it_moves(name):
    """The memory that follows from the declared traffic is that of parameters, gradients and state."""
    kernel = optimbench.kernels.build(reference.OPTIMIZERS[name], "forloop", "cpu", "float32", ELEMENTS)
    kernel.run()
    state = kernel.run.__self__.state
    held = sum(2 * p.numel() + sum(v.numel() for v in state[p].values() if torch.is_tensor(v)) for p in kernel.changes)

    assert kernel.held == pytest.approx(4 * held, rel=0.2)


def test_the_limit_has_the_memory_and_the_manner_of_its_kernel():
    """A sum into a third array, or in place; three numbers are moved for each of a sum, whatever they lie in."""
    for in_place, arrays in ((False, 3), (True, 2)):
        run, moved = roof.traffic(12_000, "cpu", in_place)
        before = run()
        assert before.numel() * 4 * arrays == 12_000
        assert moved == 12 * before.numel()
        grown = run()
        assert grown.data_ptr() == before.data_ptr()
        assert grown[0].item() == (3.0 if in_place else 2.0)


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


@pytest.fixture
def patient(monkeypatch):
    """No point is left out because the machine is busy with something else."""
    monkeypatch.setitem(points.EFFORTS, "quick", dataclasses.replace(points.EFFORTS["quick"], run_s=None, longest_s=600.0))


def request(tmp_path, **changes):
    """A small run of two items in two sizes."""
    default = Request(
        "lossbench", "time", items=tuple(LOSSES[:2]), reports=tmp_path, level="quick", extra={"size": (100, 1000)}
    )
    return dataclasses.replace(default, **changes)


@pytest.mark.usefixtures("patient")
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
        assert record["status"] == "measured", record.get("reason")
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


@pytest.mark.usefixtures("patient")
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
        return Kernel(lambda: sum(range(1000)), point.size, 0)

    points = [Point("A", "a", "forward", "eager", "cpu", "float32", size) for size in (1, 2, 10**12)]
    asked = request(tmp_path)
    timing.time_points(asked, points, build, Console(file=io.StringIO()))
    records = read(asked.results_file).of("time")

    assert [size for size in made if size > 2] == []
    assert [record["status"] for record in records] == ["measured", "measured", "skipped"]
    assert "a point on the CPU may take 100 ms" in records[-1]["reason"]
    assert records[0]["gb_per_s"] is None


def test_a_first_point_that_takes_too_long_is_told(tmp_path, monkeypatch):
    """Nothing is known of its row, so it is tried; what it took is the reason, and it is not sampled."""
    made = []
    monkeypatch.setattr(timing, "clock", lambda device: lambda run, calls: (run(), Sample(3.0))[1])
    monkeypatch.setattr(timing, "_tested", lambda run, device, lab: {"device": device, "problems": [], "same": {}})
    monkeypatch.setattr(timing, "_machine", lambda run, device, lab: {"device": device})
    monkeypatch.setattr(timing, "show", lambda *what: None)
    asked = request(tmp_path)
    points = [Point("A", "a", "forward", "eager", "cpu", "float32", 10)]
    timing.time_points(asked, points, lambda point: Kernel(lambda: made.append(1), 10, 0))
    (record,) = read(asked.results_file).of("time")

    assert record["reason"] == "took 3.00 s; at level quick a point on the CPU may take 100 ms"
    assert len(made) == 2


def test_points_are_skipped_once_the_time_is_used_up(tmp_path, monkeypatch):
    """A run that has no time left says so for every point that it leaves out."""
    monkeypatch.setitem(points.EFFORTS, "quick", points.Effort(0.01, 0.0, 0.1, 0.1, 0.1, 0))
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


@pytest.mark.parametrize("side", [lossbench.timing, optimbench.timing], ids=["losses", "optimizers"])
@pytest.mark.parametrize(
    ("extra", "dtypes"),
    [
        ({"size": (100, 1000)}, {"float32"}),
        ({"dtypes_given": True}, {"float64", "float32", "bfloat16", "float16"}),
        ({}, {*DTYPES}),
    ],
)
def test_what_is_named_replaces_the_plan_of_the_level(tmp_path, side, extra, dtypes):
    """Once a value of any axis is asked for, only it is measured, with the usual values of the others."""
    found = side.points(request(tmp_path, items=(), level="standard", extra=extra))

    assert {point.dtype for point in found} == dtypes
    if "size" in extra:
        assert {point.size for point in found} == {100, 1000}
        assert len({point.workload for point in found if point.item == found[0].item}) == 1


@pytest.mark.parametrize("axis", points.AXES)
@pytest.mark.parametrize("side", [lossbench.timing, optimbench.timing], ids=["losses", "optimizers"])
def test_an_unknown_value_of_an_axis_is_refused(tmp_path, side, axis):
    """The sentence names what was asked for and what there is."""
    with pytest.raises(UsageError, match=f"unknown {axis} 'nothing' for time; it must be one of \\w"):
        side.points(request(tmp_path, items=(), extra={axis: ("nothing",)}))


@pytest.mark.parametrize("level", ["quick", "standard", "thorough"])
@pytest.mark.parametrize("side", [lossbench.timing, optimbench.timing], ids=["losses", "optimizers"])
def test_levels_nest_and_thorough_has_every_axis(tmp_path, side, level):
    """Every item that torch has is measured at every level; standard varies each axis, thorough takes all values of all."""
    registry = reference.LOSSES if side is lossbench.timing else reference.OPTIMIZERS
    names = {name: item for name, item in registry.items() if torch_class(item.path)}
    found = side.points(request(tmp_path, items=(), level=level, devices=("cpu", "cuda"), extra={}))
    grids = {(n, d): side.grid(item, d) for n, item in names.items() for d in ("cpu", "cuda")}

    assert {point.item for point in found} == {*names}
    if level != "quick":
        assert {point.dtype for point in found} == {*DTYPES}
        assert {*SIZES} <= {point.size for point in found}
        assert {"compiled", "graph"} <= {point.path for point in found}
    if level == "thorough":
        for (name, device), grid in grids.items():
            mine = [point for point in found if (point.item, point.device) == (name, device)]
            assert {point.path for point in mine} == {*grid.paths}
            assert {point.workload for point in mine} == {*grid.workloads}
            assert {10**8} <= {point.size for point in mine}


def test_declarations_say_how_long_rows_are():
    """A loss of rows names their axes and at least one length of each; every loss belongs to a family."""
    for item in reference.LOSSES.values():
        shape = item.shapes[0]
        axes = item.row_axes(torch.zeros(shape)) if callable(item.row_axes) else item.row_axes
        of_row = 1 if isinstance(axes, int) else len(axes)

        assert item.family
        assert item.operations_per_element > 0
        assert len({len(lengths) for lengths in lossbench.kernels.row_lengths(item)} | {of_row}) == 1, item.name


@pytest.mark.usefixtures("there")
@pytest.mark.parametrize("name", LOSSES)
def test_reference_in_numpy_computes_what_torch_does(name):
    """Both kernels get the same numbers, so that their times can be set side by side."""
    item = reference.LOSSES[name]
    ours = lossbench.kernels.build(item, "forward", "cpu", "float32", ELEMENTS, path=NUMPY)
    theirs = lossbench.kernels.build(item, "forward", "cpu", "float32", ELEMENTS)

    assert torch.allclose(
        torch.as_tensor(ours.run(), dtype=torch.float32).squeeze(), theirs.run().squeeze(), rtol=1e-3, atol=1e-4
    )


@pytest.mark.parametrize("workload", [*optimbench.parameters.SETS, *optimbench.models.MODELS])
def test_parameter_sets_are_what_they_are_called(workload):
    """The set has its elements in as many tensors, for every optimizer that takes any shape."""
    sizes = {"1x1e6": (1, 10**6), "1x1e8": (1, 10**8), "100x1e4": (100, 10**6), "1000x1e3": (1000, 10**6)}
    sizes |= {"MLP": (4, 203_530), "LeNet": (10, 61_706), "AlexNet": (16, 46_764_746)}
    for item in reference.OPTIMIZERS.values():
        shapes = optimbench.parameters.shapes(item, workload)
        if "matrices" in item.tags:
            assert all(len(shape) == 2 for shape in shapes)
        elif "whole" not in item.tags:
            assert (len(shapes), optimbench.parameters.size_of(shapes)) == sizes[workload]


def test_ids_of_all_points_differ(tmp_path):
    """No two points of a run share an id, so that resuming never takes one for the other."""
    everything = request(tmp_path, items=(), devices=("cpu", "cuda"), extra={"dtypes_given": True})
    for found in (lossbench.timing.points(everything), optimbench.timing.points(everything)):
        assert len(found) == len({point.id for point in found})
        assert [point.size for point in found] == sorted(point.size for point in found)


def record(device, size, median, **changes):
    """A measured record of one row."""
    names = {"item": "A", "operation": "forward", "path": "eager", "dtype": "float32", "workload": "", "fixed": False}
    measured = {"status": "measured", "device": device, "size": size, "elements": size, "median_s": median, "gb_per_s": None}
    return measured | names | {"doubts": []} | changes


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
    assert quantities.duration(seconds) == text


@pytest.mark.parametrize(
    ("size", "text"), [(10**3, "1e3"), (10**7, "1e7"), (100, "100"), (1500, "1,500"), (2 * 10**6, "2,000,000")]
)
def test_size_text(size, text):
    assert quantities.size_text(size) == text


@pytest.mark.parametrize("width", [80, 100])
def test_printed_tables_fit_a_narrow_terminal(width):
    """Names and numbers are whole in 80 columns, on one device and on two, and the comparison is there; rates need 96."""
    name = max([*reference.LOSSES, *reference.OPTIMIZERS], key=len)
    versus = {"device": "cpu", "path": "eager", "ratio": 1 / 123, "ratio_low": 1 / 124, "ratio_high": 1 / 122}
    records = [
        record(device, size, 123e-6 if device == "cpu" else 1e-6, item=name, operation=operation, gb_per_s=4321.0, threads=16)
        | ({} if device == "cpu" else {"versus": versus})
        for operation in ("forward", "forward+backward")
        for device in ("cpu", "cuda")
        for size in SIZES
    ]
    records.append(record("cpu", 10**6, 1e-3, item=name, operation="forward+backward", path="compiled", threads=16))
    records[-1] |= {"workload": "D=128", "compile_s": 12.3}
    console = Console(file=io.StringIO(), width=width)
    time_tables.show(records, {"environment": {"devices": {"cpu": "a processor", "cuda": "a GPU"}}}, console)
    printed = console.file.getvalue()

    assert "…" not in printed
    assert printed.count("123 µs" if width == 100 else "123µs") == 10
    assert printed.count(" 123 ") == (20 if width == 100 else 10)  # the ratios, and the times of the CPU
    assert printed.count("12.3 s") == 1
    assert ("4,321" in printed) == (width == 100)
    assert "a GPU" in printed
    assert "No CUDA device" not in printed


def test_missing_accelerator_is_said_plainly():
    """No device: said. Present but not timed: said, with its name. Timed: nothing to say."""
    cases = itertools.product([{"cpu": "x"}, {"cpu": "x", "cuda": "H200"}], [{"cpu"}, {"cpu", "cuda"}])
    said = [device_ratios.without_accelerator(devices, timed) for devices, timed in cases]

    assert said[0].startswith("No CUDA device was there")
    assert "H200" in said[2]
    assert said[1] == said[3] == ""


@pytest.mark.parametrize("suite", ["lossbench", "optimbench"])
def test_an_item_that_torch_lacks_is_left_out_and_told(tmp_path, monkeypatch, capsys, suite):
    """A run of all goes on without it; whoever asks for it by name is told that it is not there."""
    registry = {"lossbench": reference.LOSSES, "optimbench": reference.OPTIMIZERS}[suite]
    items = dict(list(registry.items())[:2])
    kept, lacks = items
    monkeypatch.setitem(items, lacks, dataclasses.replace(items[lacks], path=items[lacks].path + "OfTheFuture"))
    monkeypatch.setattr(reference, {"lossbench": "LOSSES", "optimbench": "OPTIMIZERS"}[suite], items)
    command = {"lossbench": lossbench.timing.time, "optimbench": optimbench.timing.time}[suite]
    asked = request(tmp_path, suite=suite, items=(), extra={"size": (1000,)})
    command(asked)
    results = read(asked.results_file)

    assert {record["item"] for record in results.of("time")} == {kept}
    assert [record["item"] for record in results.of("absent")] == [lacks]
    assert f"has no {items[lacks].path} to time" in " ".join(capsys.readouterr().out.split())
    assert f"has no {items[lacks].path} to time" in site.render(tmp_path).read_text(encoding="utf-8")
    with pytest.raises(UsageError, match=f"OfTheFuture to time; leave {lacks} out"):
        command(dataclasses.replace(asked, items=(lacks,)))
