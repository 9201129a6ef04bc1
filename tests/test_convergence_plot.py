"""From a run of ``converge`` to figures, tables and page: `plot` reads the results file and its shards, and nothing else."""

import gzip
import io

import numpy as np
import pandas as pd
import pytest
from matplotlib.image import imread

from benchkit import publish, site
from benchkit.request import RIGHT, Request, UsageError
from benchkit.results import Run, read
from optimbench.convergence import plot
from optimbench.convergence.command import converge
from optimbench.convergence.problem import PROBLEMS
from optimbench.convergence.study import studies

EXTRA = {"seeds": 5, "steps": 6, "protocol": ("same", "tuned"), "grid": "lr=0.01,0.1"}


@pytest.fixture(scope="module")
def reports(tmp_path_factory):
    """The reports folder after a short run of two optimizers, drawn."""
    folder = tmp_path_factory.mktemp("reports")
    asked = {"suite": "optimbench", "items": ("SGD", "LBFGS"), "reports": folder, "extra": EXTRA}
    assert converge(Request(command="converge", **asked)) == RIGHT
    assert plot.plot(Request("optimbench", "plot", reports=folder)) == RIGHT
    return folder


@pytest.fixture(scope="module")
def results(reports):
    return read(reports / "optimbench-plot.jsonl")


def test_every_figure_has_its_files(reports, results):
    """PNG, SVG and numbers, with words for every reader, in the section of the page that is theirs."""
    records = results.of("figure")

    assert results.ended
    assert len({record["id"] for record in records}) == len(records) > 8
    for record in records:
        assert imread(reports / record["file"]).std() > 0.01
        assert "<svg" in (reports / record["svg"]).read_text()
        assert len(pd.read_csv(reports / record["data"])) > 1
        assert all(record[field] for field in ("title", "caption", "alt", "group"))
        assert record["section"] == "convergence"


def test_document_figures_are_there(results):
    """The document's view with its text, and the scatter of the data with what was learnt."""
    by_id = {record["id"]: record for record in results.of("figure")}

    assert "its own initialisation" in by_id["converge-parabola-same-document"]["caption"]
    assert "true curve" in by_id["converge-parabola-tuned-fits"]["caption"]


def test_numbers_beside_a_figure_are_those_of_the_study(reports):
    """The final objectives of all seeds, and the medians of the curves."""
    finals = pd.read_csv(reports / "figures/converge-parabola-finals.csv.gz")
    medians = pd.read_csv(reports / "figures/converge-parabola-same-steps.csv.gz")
    for study in studies(reports / "optimbench-converge.jsonl"):
        for runs in study.entries:
            mine = finals[(finals["protocol"] == study.protocol) & (finals["optimizer"] == runs.contender.label)]
            np.testing.assert_allclose(mine["final"], runs.final, rtol=1e-6)
            if study.protocol == "same":
                shown = medians[medians["optimizer"] == runs.contender.label]
                np.testing.assert_allclose(shown["median"], np.median(runs.losses, axis=0), rtol=1e-6)


def test_drawing_again_gives_the_same_bytes(reports, tmp_path):
    """Figures, numbers and tables hold no date and no chance."""
    (tmp_path / "shards").symlink_to(reports / "shards")
    (tmp_path / "optimbench-converge.jsonl").write_bytes((reports / "optimbench-converge.jsonl").read_bytes())
    assert plot.plot(Request("optimbench", "plot", reports=tmp_path)) == RIGHT
    files = sorted(path.name for path in (reports / "figures").iterdir())

    assert files == sorted(path.name for path in (tmp_path / "figures").iterdir())
    for name in files:
        assert (tmp_path / "figures" / name).read_bytes() == (reports / "figures" / name).read_bytes(), name


def test_page_shows_tables_and_figures_of_the_studies(reports, results):
    """Each once, under the heading of the problem; none among the other figures."""
    text = site.render(reports).read_text(encoding="utf-8")
    figures, convergence = text.index('id="figures"'), text.index('id="convergence"')

    for record in results.of("figure"):
        assert text.count(f'id="figure-{record["id"]}"') == 1
        assert text.index(f'id="figure-{record["id"]}"') > convergence > figures
    for record in results.of("table"):
        assert text.count(f"<caption>{record['title'].replace('²', '²')}</caption>".replace("'", "&#39;")) == 1
        assert all(row[0] in text for row in record["rows"])
    assert "more figures<" in text


def test_published_gallery_has_the_numbers_of_the_figures(reports, tmp_path):
    published = publish.publish(reports, tmp_path / "published").parent
    packed = next(iter(sorted((published / "figures").glob("*-table.csv.gz"))))

    assert "optimizer" in gzip.decompress(packed.read_bytes()).decode().splitlines()[0]
    assert pd.read_csv(io.BytesIO(gzip.decompress(packed.read_bytes())))["final"].notna().all()


def test_speed_of_training_is_on_the_page(reports, tmp_path):
    """Rates as recorded, beside the loop by hand and divided by it, in a table for each problem and in a figure."""
    (tmp_path / "shards").symlink_to(reports / "shards")
    (tmp_path / "optimbench-converge.jsonl").write_bytes((reports / "optimbench-converge.jsonl").read_bytes())
    rates = {"SGD": {"plain": 2.0, "1": 3.0, "256": 200.0}, "LBFGS": {"plain": 4.0, "1": 5.0}}
    with Run.open(Request("optimbench", "speed", reports=tmp_path)) as run:
        for problem in ("parabola-batches", "parabola"):
            for label, found in rates.items():
                fields = {"problem": problem, "label": label, "path": "stack", "steps": 200, "runs_per_second": found}
                run.write("speed", f"{problem}/{label}", **fields)
        run.end()
    assert plot.plot(Request("optimbench", "plot", reports=tmp_path)) == RIGHT
    drawn = read(tmp_path / "optimbench-plot.jsonl")
    tables = [record for record in drawn.of("table") if record["id"].startswith("converge-speed")]
    (figure,) = [record for record in drawn.of("figure") if record["id"] == "converge-speed"]
    data = pd.read_csv(tmp_path / figure["data"])
    text = site.render(tmp_path).read_text(encoding="utf-8")

    assert [table["rows"] for table in tables] == [
        [["SGD", "2.0", "3.0", "200.0", "1.50", "100.0", "stack"], ["LBFGS", "4.0", "5.0", "", "1.25", "1.2", "stack"]]
    ] * 2
    assert data["ratio"].tolist() == [1.5, 100.0, 1.25] * 2
    assert "python -m optimbench.convergence.speed" in figure["caption"]
    for record in (*tables, figure):
        assert record["title"] in text
    assert text.count('id="convergence-the-speed-of-training"') == 1


def test_time_is_counted_by_evaluations(reports):
    """A step that evaluates once takes the time of an evaluation; costs in seconds are evaluations times that time."""
    for study in studies(reports / "optimbench-converge.jsonl"):
        for runs in study.entries:
            once = (np.diff(runs.evaluations, axis=1) == 1).all()
            assert once == (runs.contender.name == "SGD")
            if once:
                assert runs.evaluation_seconds == runs.step_seconds
            np.testing.assert_allclose(runs.seconds, np.median(runs.evaluations, axis=0) * runs.evaluation_seconds)


def test_plot_without_results_says_so(tmp_path):
    """The error names the command to run first; so does that of a file without studies."""
    request = Request("optimbench", "plot", reports=tmp_path)

    with pytest.raises(UsageError, match="run 'optimbench converge"):
        plot.plot(request)
    with Run.open(Request("optimbench", "converge", reports=tmp_path), labels=[]) as run:
        run.end()
    with pytest.raises(UsageError, match="holds no study yet"):
        plot.plot(request)


def test_times_are_drawn_where_nothing_was_trained(tmp_path):
    """Who has only timed gets the figures of times."""
    with Run.open(Request("optimbench", "time", reports=tmp_path)) as run:
        run.end()

    assert plot.plot(Request("optimbench", "plot", reports=tmp_path)) == RIGHT


def test_fit_of_the_first_seed_is_that_of_the_problem(reports):
    """What is drawn as learnt has the objective that was recorded at the end."""
    (study,) = [study for study in studies(reports / "optimbench-converge.jsonl") if study.protocol == "same"]
    fits = plot.fits(study)
    problem = PROBLEMS[study.problem]
    for runs in study.entries:
        residuals = problem.learnt(runs.parameters[0], fits.x) - fits.y

        assert np.mean(residuals**2) == pytest.approx(runs.final[0], rel=1e-4)
    np.testing.assert_allclose(fits.truth, fits.grid**2)


@pytest.mark.parametrize("name", [name for name, problem in PROBLEMS.items() if problem.plane])
def test_landscapes_are_those_of_the_problems(name):
    """The objective at the drawn points, and the minima inside the picture lowest."""
    problem = PROBLEMS[name]
    land = plot.landscape_of(problem, seed=0)
    k, row = 7, 31
    (parameter,) = problem.start(0)
    expected, _ = problem.gradient({parameter: np.array([land.x[k], land.y[row]])}, {})

    assert land.values[row, k] == pytest.approx(expected)
    for minimum in land.minima:
        assert land.x[0] <= minimum[0] <= land.x[-1]
        assert land.y[0] <= minimum[1] <= land.y[-1]
        assert problem.gradient({parameter: minimum}, {})[0] <= land.values.min() + 1e-9
