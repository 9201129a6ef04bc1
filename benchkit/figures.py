"""Figures: one style, PNG and SVG side by side, and a record that says what the picture shows.

Nothing here keeps global state: figures are made without pyplot, always on the Agg canvas, and the same numbers give the
same bytes (SVG ids are salted with a constant and no date is written).
"""

from __future__ import annotations

import gzip
import io
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING, Any

import matplotlib
import matplotlib.style
import numpy as np
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from PIL import Image
from scipy.spatial import KDTree

from benchkit.request import UsageError
from benchkit.results import Record, Run

if TYPE_CHECKING:
    import pandas as pd

COLOURS = 256  # of a palette

STYLE = resources.files("benchkit.style") / "lossbench.mplstyle"


@contextmanager
def style() -> Iterator[None]:
    """The style of the house, for the length of a with block."""
    with resources.as_file(STYLE) as path, matplotlib.style.context(str(path)):
        yield


def looks() -> list[dict[str, Any]]:
    """The colours and lines that curves of one panel take in turn."""
    with style():
        return list(matplotlib.rcParams["axes.prop_cycle"])


def panels(rows: int = 1, columns: int = 1, *, size: tuple[float, float] = (8.0, 4.5), **how: Any) -> tuple[Figure, list[Axes]]:
    """A figure of ``size`` inches with its panels in reading order; ``how`` goes to matplotlib's ``subplots``."""
    with style():
        figure = Figure(figsize=size)
        FigureCanvasAgg(figure)
        grid = figure.subplots(rows, columns, squeeze=False, **how)
    return figure, list(grid.flat)


def save(
    figure: Figure,
    reports_dir: Path,
    stem: str,
    *,
    title: str,
    caption: str,
    alt: str,
    group: str,
    run: Run | None = None,
    data: pd.DataFrame | None = None,
    **more: Any,
) -> Record:
    """Write ``figures/<stem>.png`` and ``.svg`` under ``reports_dir``; the ``figure`` record goes to ``run`` where one is open.

    ``title``, ``caption`` and ``alt`` (what a reader hears who does not see the picture) go to the page; ``group`` is the
    heading under which it shows, ``data`` the numbers shown, written beside it as ``.csv.gz``; ``more`` goes into the record.
    Paths in the record are relative to ``reports_dir``. UsageError where nothing can be written.
    """
    names = {"file": f"figures/{stem}.png", "svg": f"figures/{stem}.svg"}
    if data is not None:
        names["data"] = f"figures/{stem}.csv.gz"
    try:
        (reports_dir / "figures").mkdir(parents=True, exist_ok=True)
        with style():
            figure.draw_without_rendering()  # lays the panels out, once for both files
            figure.set_layout_engine("none")
            save_png(figure, reports_dir / names["file"])
            figure.savefig(reports_dir / names["svg"], format="svg", metadata={"Date": None})
            if data is not None:
                save_columns(data, reports_dir / names["data"])
    except OSError as error:
        raise UsageError(
            f"cannot write figures to {reports_dir / 'figures'}: {error.strerror}; give a writable folder"
        ) from None
    fields = {**names, "title": title, "caption": caption, "alt": alt, "group": group, **more}
    return run.write("figure", stem, **fields) if run else {"kind": "figure", "id": stem, **fields}


def save_png(figure: Figure, path: Path) -> None:
    """Write a PNG in its 256 most frequent colours, a fifth of the bytes, for the page embeds every figure.

    Areas and lines keep their colours; what else there is, the mixtures at their edges, takes the nearest.
    """
    drawn = io.BytesIO()
    figure.savefig(drawn, format="png")
    with Image.open(drawn) as picture:
        colours = np.asarray(picture.convert("RGB"), dtype=np.int32)
        codes, place, counts = np.unique(colours @ (65536, 256, 1), return_inverse=True, return_counts=True)
        every = np.stack([codes >> 16, codes >> 8 & 255, codes & 255], axis=1)
        frequent = every[np.argsort(-counts, kind="stable")[:COLOURS]]
        nearest = np.asarray(KDTree(frequent).query(every)[1], dtype=np.uint8)
        few = Image.frombytes("P", picture.size, nearest[place].tobytes())
        few.putpalette(frequent.astype(np.uint8).tobytes())
        few.save(path, format="png", optimize=True, dpi=picture.info["dpi"])


def save_columns(data: pd.DataFrame, path: Path) -> None:
    """Write a table as compressed CSV with seven digits; the same numbers give the same bytes."""
    text = data.to_csv(index=False, float_format="%.7g", lineterminator="\n")
    path.write_bytes(gzip.compress(text.encode(), mtime=0))


def direct_labels(axes: Axes, curves: Sequence[tuple[str, float, Mapping[str, Any]]], *, x: float, gap: float) -> None:
    """Name each curve at its right end instead of in a legend, moved apart so that no two names touch.

    ``curves`` has (name, height at ``x`` in data units, look); a sample of the line stands before the name. ``gap`` is the
    least distance of two names as a fraction of the height of the axes. Set the limits of the axes first.
    """
    to_fraction = (axes.transData + axes.transAxes.inverted()).transform
    wanted = [(min(max(float(to_fraction((x, height))[1]), 0.0), 1.0), name, look) for name, height, look in curves]
    wanted.sort(key=lambda entry: entry[0])
    for (true, name, look), place in zip(wanted, spread([place for place, _, _ in wanted], gap), strict=True):
        how: dict[str, Any] = {"transform": axes.transAxes, "clip_on": False, "color": look["color"]}
        axes.add_line(Line2D([1.0, 1.03], [true, place], linewidth=0.7, **how))
        axes.add_line(Line2D([1.03, 1.075], [place, place], linestyle=look["linestyle"], **how))
        axes.annotate(name, (1.083, place), xycoords="axes fraction", va="center", fontsize=9.5, annotation_clip=False)


def spread(places: Sequence[float], gap: float) -> list[float]:
    """Ascending places moved as little as needed to keep ``gap`` apart and, where there is room, inside 0 to 1.

    Neighbours that would touch form a block around their common centre; blocks that meet are merged.
    """
    blocks: list[list[float]] = []  # the wanted places of each block
    starts: list[float] = []
    for place in places:
        blocks.append([place])
        starts.append(_start([place], gap))
        while len(blocks) > 1 and starts[-2] + gap * len(blocks[-2]) > starts[-1]:
            upper = blocks.pop()
            blocks[-1] += upper
            starts.pop()
            starts[-1] = _start(blocks[-1], gap)
    return [start + gap * k for start, block in zip(starts, blocks, strict=True) for k in range(len(block))]


def _start(block: Sequence[float], gap: float) -> float:
    height = gap * (len(block) - 1)
    start = sum(block) / len(block) - height / 2
    return max(min(start, 1.0 - height), 0.0)
