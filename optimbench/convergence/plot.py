"""``plot``: every figure and table of the convergence studies, from the results file and its shards alone."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import Any, Protocol, runtime_checkable

import numpy as np
import torch
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

import optimbench.convergence.problems  # noqa: F401  declares them
from benchkit import figures, time_figures, workers
from benchkit.request import RIGHT, Request, UsageError
from benchkit.results import Record, Run, read
from optimbench.convergence import answers, gallery, tables
from optimbench.convergence.figures import speed
from optimbench.convergence.figures.document import Fits
from optimbench.convergence.figures.plane import Landscape
from optimbench.convergence.problem import PROBLEMS, Problem
from optimbench.convergence.study import studies
from optimbench.convergence.trajectory import Array, Study
from reference import OPTIMIZERS

SUBJECT = time_figures.Subject("optimbench", "optimizers", {"optimizers": [*OPTIMIZERS]})
SECTION = "convergence"  # of the page
SPEED = "The speed of training"  # its heading
PIXELS = 160  # of a landscape, in each direction
WORTH_PROCESSES = 6  # figures below which the start of other processes costs more than it brings
FITTED = 201  # points at which what was learnt is drawn


@runtime_checkable
class Curve(Protocol):
    """A problem that fits a curve to points."""

    def points(self, seed: int) -> tuple[Array, Array]:
        """The data, (N,) each."""

    def truth(self, x: Array) -> Array:
        """The curve that the data scatter around."""

    def learnt(self, parameters: Array, x: Array) -> Array:
        """What trained parameters, (P,), make of ``x`` (G,)."""


def plot(request: Request) -> int:
    """Draw what ``converge``, ``time`` and the measurement of the engine's speed have left; UsageError where there is none."""
    studies_found = load(request)
    processes = workers.count()
    if processes > 1:
        workers.warm_up(__name__)
    found = [answers.answer(study) for study in studies_found]
    places = list(gallery.all_figures(found, gallery.Facts(landscape, fits, of_document)))
    if speeds := speed_records(request.reports):
        places.append(gallery.Place(SPEED, True, partial(speed.figure, speeds)))
    columns = (TextColumn("{task.description:<50}"), BarColumn(), MofNCompleteColumn())
    drawn: list[str] = []
    with Run.open(request) as run, Progress(*columns, console=Console(stderr=True), transient=True) as progress:
        for heading, table in (*gallery.all_tables(found), *((SPEED, table) for table in speed.tables(speeds))):
            save_table(table, heading, request, run)
        task = progress.add_task("figures", total=len(places))
        for record in figure_records(places, request.reports, processes):
            progress.advance(task)
            if record:
                run.write(
                    "figure", record["id"], **{name: value for name, value in record.items() if name not in ("kind", "id")}
                )
                drawn.append(f"{record['file']}: {record['title']}")
                progress.update(task, description=record["title"][:50])
        drawn += [f"{record['file']}: {record['title']}" for record in time_figures.plot(request, SUBJECT, run)]
        run.end()
    for line in drawn:
        Console().print(line, soft_wrap=True, highlight=False)
    return RIGHT


def figure_records(places: Sequence[gallery.Place], reports: Path, processes: int) -> Iterator[Record | None]:
    """Draw the figures in their order, in so many processes; None for one that the studies have not."""
    if processes < 2 or len(places) < WORTH_PROCESSES:
        yield from (draw(place, reports) for place in places)
        return
    with workers.pool(processes) as pool:
        yield from pool.map(draw, places, [reports] * len(places))


def draw(place: gallery.Place, reports: Path) -> Record | None:
    """Draw one figure and write its files; the record is still to be written."""
    drawing = place.draw()
    if drawing is None:
        return None
    texts: dict[str, Any] = {"title": drawing.title, "caption": drawing.caption, "alt": drawing.alt, "group": place.heading}
    return figures.save(drawing.figure, reports, drawing.stem, **texts, data=drawing.data, section=SECTION, first=place.first)


def load(request: Request) -> list[Study]:
    """The studies of ``optimbench-converge.jsonl`` in the reports folder that have an entry; none where there is no such file
    but one of times."""
    path = request.reports / "optimbench-converge.jsonl"
    if not path.exists():
        if any((request.reports / f"optimbench-{command}.jsonl").exists() for command in ("time", "speed")):
            return []
        raise UsageError(f"there is no {path} to draw from; run 'optimbench converge --reports {request.reports}' first")
    found = [study for study in studies(path) if study.entries]
    if not found:
        raise UsageError(f"{path} holds no study yet; run 'optimbench converge --reports {request.reports} --resume' first")
    return found


def speed_records(reports: Path) -> list[Record]:
    """What the measurement of the engine's speed has left in the reports folder, nothing where it was not made."""
    path = reports / "optimbench-speed.jsonl"
    return read(path).of("speed") if path.exists() else []


def save_table(table: tables.Table, heading: str, request: Request, run: Run) -> None:
    """A table as a record for the page, and its numbers as a file beside the figures."""
    name = f"figures/{table.stem}-table.csv.gz"
    try:
        (request.reports / "figures").mkdir(parents=True, exist_ok=True)
        figures.save_columns(table.data, request.reports / name)
    except OSError as error:
        raise UsageError(
            f"cannot write tables to {request.reports / 'figures'}: {error.strerror}; give a writable folder"
        ) from None
    fields = {"title": table.title, "group": heading, "section": SECTION, "data": name, "notes": table.notes}
    run.write("table", table.stem, **fields, columns=table.columns, rows=table.rows)


def _problem(study: Study) -> Problem | None:
    """The declaration of a study's problem, None where this version has no such problem."""
    try:
        return PROBLEMS[study.problem]
    except KeyError:
        return None


def of_document(study: Study) -> bool:
    """Whether it is the document's own experiment."""
    problem = _problem(study)
    return problem is not None and problem.document


def landscape(study: Study) -> Landscape | None:
    """The objective over the part of the plane that a problem of two variables declares."""
    problem = _problem(study)
    return landscape_of(problem, study.entries[0].seeds[0]) if problem is not None and problem.plane else None


def landscape_of(problem: Problem, seed: int) -> Landscape:
    """The landscape of a problem that has a ``plane``."""
    assert problem.plane is not None
    (left, right), (bottom, top) = problem.plane
    x, y = np.linspace(left, right, PIXELS), np.linspace(bottom, top, PIXELS)
    (name,) = problem.start(seed)
    points = torch.from_numpy(np.stack(np.meshgrid(x, y), axis=-1).reshape(-1, 2))
    values = problem.losses({name: points}, {}).numpy().reshape(PIXELS, PIXELS)
    optimum = problem.optimum(seed)
    minima = np.empty((0, 2)) if optimum is None else np.asarray(optimum[name], dtype=float).reshape(-1, 2)
    return Landscape(x, y, values, minima)


def fits(study: Study) -> Fits | None:
    """The data of the first seed with what was learnt from them, where the problem fits a curve."""
    problem = _problem(study)
    if not isinstance(problem, Curve):
        return None
    seed = study.entries[0].seeds[0]
    x, y = problem.points(seed)
    grid = np.linspace(float(x.min()), float(x.max()), FITTED)
    learnt = {
        runs.contender.label: problem.learnt(runs.parameters[0], grid)
        for runs in study.entries
        if runs.parameters is not None and runs.seeds[0] == seed
    }
    return Fits(seed, x, y, grid, problem.truth(grid), learnt) if learnt else None
