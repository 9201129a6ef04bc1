"""Figures of times, drawn from a results file alone: time against size, the roofline, and the CPU against another device."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.axis import Axis
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import FuncFormatter, LogLocator, NullFormatter

from benchkit import figures
from benchkit.device_ratios import Comparison, compare_devices
from benchkit.points import FIGURES, NUMPY
from benchkit.quantities import duration, size_text
from benchkit.request import Request
from benchkit.results import Record, Results, Run, read

ELEMENTS = "number of elements"
MARKS = ("o", "s")  # of the sizes in the roofline: one that a cache holds, and the largest

Drawing = tuple[Figure, dict[str, Any]]


@dataclass(frozen=True)
class Subject:
    """What the figures of one side are about: its name, and by family the names of its items."""

    suite: str
    noun: str
    families: Mapping[str, Sequence[str]]


def plot(request: Request, subject: Subject, run: Run) -> list[Record]:
    """Draw every figure of the side's results of ``time`` that lie in the reports folder; none where there are none."""
    path = request.reports / f"{subject.suite}-time.jsonl"
    if not path.exists():
        return []
    results = read(path)
    drawn = [*_time_figures(results, subject), *_rooflines(results, subject), *_ratio_figures(results, subject)]
    return [figures.save(figure, request.reports, group=FIGURES, run=run, **texts) for figure, texts in drawn]


def usual(results: Results) -> list[Record]:
    """The measured rows in float32 on the workload that is usual for the item, the first that the run has of it."""
    first: dict[str, Any] = {}
    found = []
    for record in results.of("time"):
        if record["status"] != "measured" or record["dtype"] != "float32" or record.get("fixed") or record["path"] == NUMPY:
            continue
        if first.setdefault(record["item"], record["workload"]) == record["workload"]:
            found.append(record)
    return found


def _where(results: Results, device: str) -> str:
    """The device and the threads, for captions."""
    environment = results.header["environment"]
    threads = f", {environment['threads']} threads" if device == "cpu" else ""
    return f"{environment['devices'].get(device, device)}{threads}, torch {environment['torch']}"


def _doubts(results: Results, device: str) -> str:
    """What the self-test found wrong, for captions."""
    tests = [record for record in results.of("self_test") if record["device"] == device]
    problems = tests[-1]["problems"] if tests else []
    return f" In doubt, by the self-test of the run: {'; '.join(problems)}." if problems else ""


# ---- time against size -------------------------------------------------------------------------------------------------------


def _time_figures(results: Results, subject: Subject) -> list[Drawing]:
    """One figure for each family and device: a panel for every operation and path that several sizes were measured of."""
    drawn, found = [], usual(results)
    for device in dict.fromkeys(record["device"] for record in found):
        for family, names in subject.families.items():
            rows = [r for r in found if r["device"] == device and r["item"] in names]
            panels: dict[tuple[str, str], dict[str, list[Record]]] = {}
            for record in rows:
                curves = panels.setdefault((record["operation"], record["path"]), {})
                curves.setdefault(record["item"], []).append(record)
            panels = {key: {n: points for n, points in curves.items() if len(points) > 1} for key, curves in panels.items()}
            if panels := {key: curves for key, curves in panels.items() if curves}:
                drawn.append(_times(results, subject, family, device, panels))
    return drawn


def _times(
    results: Results, subject: Subject, family: str, device: str, panels: Mapping[tuple[str, str], Mapping[str, list[Record]]]
) -> Drawing:
    names = list(dict.fromkeys(name for curves in panels.values() for name in curves))
    looks = _looks(names)
    height = max(4.2, 1.4 + 0.27 * len(names))
    columns = min(2, len(panels))
    rows = -(-len(panels) // columns)
    figure, axes_of = figures.panels(rows, columns, size=(6.0 * columns + 1.0, height * rows), sharey=True)
    launch = [record["launch_host_s"] for record in results.of("machine") if record["device"] == device != "cpu"]
    everything = launch + [r["median_s"] for curves in panels.values() for points in curves.values() for r in points]
    for axes in axes_of[len(panels) :]:
        axes.set_axis_off()
    for axes, ((operation, path), curves) in zip(axes_of, panels.items(), strict=False):
        for name, points in curves.items():
            sizes = [r["elements"] for r in points]
            axes.plot(sizes, [r["median_s"] for r in points], **looks[name])
            axes.fill_between(
                sizes, [r["q1_s"] for r in points], [r["q3_s"] for r in points], color=looks[name]["color"], alpha=0.15
            )
        axes.set(xscale="log", yscale="log", xlabel=ELEMENTS, title=operation if path == "eager" else f"{operation}, {path}")
        axes.set_ylim(min(everything) / 1.6, max(everything) * 1.6)
        _numbers_on(axes.yaxis, everything, lambda value: duration(value).replace(".00", "").replace(".0", ""))
        for cost in launch:
            axes.axhline(cost, color="0.3", linewidth=0.9, linestyle="--")
            axes.annotate("launch", (0.01, cost), xycoords=("axes fraction", "data"), va="bottom", fontsize=9)
        last = max(r["elements"] for points in curves.values() for r in points)
        for name, points in curves.items():  # a curve that ends early is led to its name
            end = points[-1]["median_s"]
            axes.plot(
                [points[-1]["elements"], last], [end, end], color=looks[name]["color"], linewidth=0.7, linestyle=(0, (1, 3))
            )
        ends = [(name, float(points[-1]["median_s"]), looks[name]) for name, points in curves.items()]
        figures.direct_labels(axes, ends, x=last, gap=0.055 * 4.2 / height)
    figure.supylabel("median time of one execution")
    engine: Any = figure.get_layout_engine()
    engine.set(rect=(0.0, 0.0, 0.98, 1.0))  # room for the names on the right
    line = " Dashed: what the host needs to launch one kernel." if launch else ""
    return figure, {
        "stem": f"time-{subject.suite}-{_slug(family)}-{device}",
        "title": f"Time against size: {family}, {device}",
        "caption": f"Median time of one execution in float32, with the quartiles as a band; both axes are logarithmic.{line} "
        f"{_where(results, device)}.{_doubts(results, device)}",
        "alt": f"Time against the number of elements for {len(names)} items of the family {family}, a panel for each of "
        f"{', '.join(' '.join(key) for key in panels)}.",
    }


# ---- the roofline ------------------------------------------------------------------------------------------------------------


def _rooflines(results: Results, subject: Subject) -> list[Drawing]:
    """One figure for each device on which rows with a limit were measured."""
    drawn, found = [], usual(results)
    operation = next((r["operation"] for r in found if r.get("operations")), None)
    for device in dict.fromkeys(record["device"] for record in found):
        rows = [r for r in found if (r["device"], r["operation"]) == (device, operation) and r.get("roof_share")]
        rows = [r for r in rows if r["path"] not in ("compiled", "graph")]
        machines = [record for record in results.of("machine") if record["device"] == device]
        if rows and machines:
            drawn.append(_roofline(results, subject, device, rows, machines[-1]["gflop_per_s"]))
    return drawn


def _roofline(results: Results, subject: Subject, device: str, rows: Sequence[Record], gflop_per_s: float) -> Drawing:
    sizes = sorted({r["size"] for r in rows})
    rows = [r for r in rows if r["item"] in {one["item"] for one in rows if one["size"] > sizes[0]}] or rows
    shown = sorted({min(sizes, key=lambda size: abs(math.log10(size) - 5.0)), sizes[-1]})
    names = list(dict.fromkeys((r["item"], r["path"]) for r in rows if r["size"] in shown))
    figure, (roof, shares) = figures.panels(1, 2, size=(12.0, max(4.8, 1.2 + 0.24 * len(names))))
    looks = figures.looks()
    intensities = [r["operations"] / r["bytes"] for r in rows if r.get("operations")]
    span = np.geomspace(min(intensities) / 3.0, max(max(intensities) * 3.0, 3.0), 100)
    for size, mark, look in zip(shown, MARKS, looks, strict=False):
        mine = [r for r in rows if r["size"] == size]
        rates = sorted(r["roof_gb_per_s"] for r in mine)
        slopes = [np.minimum(rate * span, gflop_per_s) for rate in (rates[0], rates[-1])]
        roof.fill_between(span, *slopes, color=look["color"], alpha=0.12, linewidth=0)
        roof.plot(span, slopes[-1], color=look["color"], linestyle=look["linestyle"])
        with_operations = [r for r in mine if r.get("operations")]
        how: dict[str, Any] = {"marker": mark, "linestyle": "none", "color": look["color"], "markerfacecolor": "white"}
        roof.plot(
            [r["operations"] / r["bytes"] for r in with_operations],
            [r["operations"] / r["bytes"] * r["roof_share"] * r["roof_gb_per_s"] for r in with_operations],
            label=f"{size_text(size)} elements: a sum moves {rates[0]:.0f} to {rates[-1]:.0f} GB/s",
            **how,
        )
        places = [names.index((r["item"], r["path"])) for r in mine]
        middle = np.array([100.0 * r["roof_share"] for r in mine])
        low, high = (np.array([100.0 * r[f"roof_share_{end}"] for r in mine]) for end in ("low", "high"))
        known = np.isfinite(high) & (low > 0.0)
        spread = np.where(known, [middle - low, high - middle], 0.0)
        shares.errorbar(middle, places, xerr=np.maximum(spread, 0.0), elinewidth=0.9, **how)
    roof.axhline(gflop_per_s, color="0.3", linewidth=0.8, linestyle=":")
    roof.annotate(f"product of matrices: {gflop_per_s:,.0f} Gop/s", (span[0], gflop_per_s), va="bottom", fontsize=9)
    roof.set(xscale="log", yscale="log", xlabel="operations for each byte that must be moved", ylabel="operations (10⁹/s)")
    roof.set(title="The roof", xlim=(span[0], span[-1]))
    roof.set_ylim(top=4.0 * gflop_per_s)
    figure.legend(*roof.get_legend_handles_labels(), loc="outside upper left", ncols=len(shown), frameon=False)
    single = len({path for _, path in names}) == 1
    shares.set_yticks(range(len(names)), [item if single else f"{item}, {path}" for item, path in names])
    shares.set_ylim(len(names) - 0.4, -0.6)
    reached = [100.0 * r["roof_share"] for r in rows if r["size"] in shown]
    shares.set_xlim(min(reached) / 2.0, max(*reached, 100.0) * 2.0)
    shares.axvline(100.0, color="0.3", linewidth=0.8, linestyle="--")
    shares.set(xscale="log", xlabel="share of the limit at the same working set (%)", title="Share of the limit")
    _numbers_on(shares.xaxis, reached, lambda value: f"{value:g}")
    operation = rows[0]["operation"]
    return figure, {
        "stem": f"roofline-{subject.suite}-{device}",
        "title": f"Roofline: {subject.noun}, {operation}, {device}",
        "caption": f"Left: the arithmetic of one {operation} in a second, in pairs with the sum beside it, against its "
        "operations for each compulsory byte; the slope is the bandwidth of a sum of two arrays, shaded over the working sets "
        "of the kernels of a size and drawn at the fastest of them, the dotted line the rate of a product of matrices. "
        "Right: the share that a kernel reaches of the sum at its own working set, with its 99 % interval where there are "
        f"pairs enough. Float32. {_where(results, device)}.{_doubts(results, device)}",
        "alt": f"Left: operations a second against operations a byte for {len(names)} kernels at {len(shown)} sizes, below a "
        "roof that rises and then is flat. Right: for each kernel its share of the limit.",
    }


# ---- the CPU against another device ------------------------------------------------------------------------------------------


def _ratio_figures(results: Results, subject: Subject) -> list[Drawing]:
    """One figure for each family and device that was timed in pairs with the CPU."""
    found = [one for one in compare_devices(results.of("time")) if one.dtype == "float32" and len(one.ratios) > 1]
    drawn = []
    for device in dict.fromkeys(one.device for one in found):
        for family, names in subject.families.items():
            rows = [one for one in found if one.device == device and one.item in names]
            if rows:
                drawn.append(_ratios(results, subject, family, device, rows))
    return drawn


def _ratios(results: Results, subject: Subject, family: str, device: str, rows: Sequence[Comparison]) -> Drawing:
    names = list(dict.fromkeys(one.item for one in rows))
    columns = min(4, len(names))
    lines = -(-len(names) // columns)
    figure, panels = figures.panels(lines, columns, size=(max(5.5, 3.0 * columns), 2.6 * lines + 1.0), sharex=True, sharey=True)
    whats = list(dict.fromkeys(_what(one) for one in rows))
    looks = dict(zip(whats, figures.looks(), strict=False))
    for axes in panels[len(names) :]:
        axes.set_axis_off()
    for axes, name in zip(panels, names, strict=False):
        workload = next(one.workload for one in rows if one.item == name)
        for one in rows:
            if one.item == name and one.workload == workload:
                _curve(axes, one.ratios, looks[_what(one)]["color"], "-")
                _curve(axes, one.loaded, looks[_what(one)]["color"], ":")
        axes.axhline(1.0, color="0.3", linewidth=0.8)
        axes.set(xscale="log", yscale="log", title=name)
        axes.title.set_fontsize(10)
        _numbers_on(axes.yaxis, [ratio for one in rows for ratio, *_ in one.ratios.values()], lambda value: f"{value:g}")
    handles = [Line2D([], [], color=looks[what]["color"], linestyle="-") for what in whats]
    styles = [Line2D([], [], color="0.3", linestyle=style) for style in ("-", ":")]
    words = [*whats, "inputs on the device", "inputs from the host"]
    figure.legend([*handles, *styles], words, loc="outside upper center", ncols=min(len(words), 2 if columns < 3 else 5))
    figure.supxlabel(ELEMENTS)
    figure.supylabel(f"CPU time / {device} time")
    return figure, {
        "stem": f"ratio-{subject.suite}-{_slug(family)}-{device}",
        "title": f"CPU against {device}: {family}",
        "caption": f"How many times faster {device} is than the CPU, from pairs of one sample each in random order; above the "
        "line at 1 it wins. The band is the 99 % interval of the ratio. Dotted: the inputs come from the host first, and the "
        f"host waits for the answer. Float32. CPU: {_where(results, 'cpu')}. {device}: {_where(results, device)}."
        f"{_doubts(results, device)}",
        "alt": f"CPU time over device time against the number of elements, one panel for each of {len(names)} items.",
    }


def _curve(axes: Axes, ratios: Mapping[int, tuple[float, float, float]], color: str, style: str) -> None:
    sizes = sorted(ratios)
    middle, low, high = (np.array([ratios[size][k] for size in sizes]) for k in range(3))
    axes.plot(sizes, middle, color=color, linestyle=style, marker="o", markersize=3)
    sure = np.isfinite(high) & (low > 0.0)
    axes.fill_between(sizes, low, high, where=list(sure), color=color, alpha=0.2, linewidth=0)


def _looks(names: Sequence[str]) -> dict[str, dict[str, Any]]:
    """A look for each name: colour and line, and another marker once these begin again."""
    known = figures.looks()
    return {name: {**known[k % len(known)], "marker": "o^v"[k // len(known) % 3]} for k, name in enumerate(names)}


def _numbers_on(axis: Axis, values: Sequence[float], text: Callable[[float], str]) -> None:
    """Ticks of a logarithmic axis with their numbers: decades, and 2 and 5 between them where the values span few."""
    few = max(values) < 300.0 * min(values)
    axis.set_major_locator(LogLocator(subs=(1.0, 2.0, 5.0) if few else (1.0,)))
    axis.set_major_formatter(FuncFormatter(lambda value, _: text(value)))
    axis.set_minor_formatter(NullFormatter())


def _what(one: Comparison) -> str:
    return one.operation if one.path == "eager" else one.path


def _slug(text: str) -> str:
    return text.replace(" ", "-")
