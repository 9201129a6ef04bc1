"""The figures and tables of the convergence studies: they show the numbers of the study, all of them, legibly."""

import dataclasses
import io
import itertools

import numpy as np
import pytest
from matplotlib.figure import Figure
from pictures import fits_on_the_page
from rich.console import Console
from synthetic_studies import GRID, NAMES, study

from optimbench.convergence import answers as answering
from optimbench.convergence import gallery, tables
from optimbench.convergence.figures import curves, document, finals, parts, plane, profiles, sensitivity, targets
from optimbench.convergence.statistics import median
from optimbench.convergence.summary import summary

PROTOCOLS = ("same", "default", "tuned")
PROBLEMS = ("parabola", "beale", "lenet")
FEW = (NAMES[0], "ASGD", "LBFGS", "Rprop", "SGD", "RMSprop")
X, Y = np.linspace(-3, 3, 40), np.linspace(-2, 2, 30)
LAND = plane.Landscape(X, Y, X**2 + Y[:, None] ** 2, np.zeros((1, 2)))


@pytest.fixture(scope="module")
def answers():
    """One problem under three protocols, 18 contenders."""
    return [answering.answer(study(protocol=protocol)) for protocol in PROTOCOLS]


@pytest.fixture(scope="module")
def tuned(answers):
    return answers[-1]


@pytest.fixture(scope="module")
def several():
    """Three problems under the tuned protocol, six contenders."""
    return [answering.answer(study(problem=problem, names=FEW, iterates=problem == "beale")) for problem in PROBLEMS]


def facts(**known):
    """Facts of no problem, but for what is given."""
    none = {"landscape": lambda _: None, "fits": lambda _: None, "document": lambda _: False}
    return gallery.Facts(**(none | known))


def with_fits(one):
    """Data of a line with noise, and a line for each contender."""
    x = np.linspace(-1.0, 1.0, 50)
    return document.Fits(0, x, x + 0.1 * np.sin(9 * x), x, x, {runs.contender.label: 0.9 * x for runs in one.entries})


def drawings(answers, several):
    """Every figure that there is, by a name."""
    one = answers[-1]
    reached = {answer.study.protocol: answer.reached for answer in answers}
    yield "steps", lambda: curves.every_curve(one.study, "steps", one.compared)
    yield "seconds", lambda: curves.every_curve(one.study, "seconds", one.compared)
    yield "overview", lambda: curves.overview(one.study)
    yield "evaluations", lambda: curves.evaluations(one.study)
    yield "document", lambda: document.view(one.study, one.compared)
    yield "fits", lambda: document.fits(one.study, with_fits(one.study))
    yield "finals", lambda: finals.distributions([answer.study for answer in answers])
    yield "pairs", lambda: finals.pairs(one.study, one.compared)
    yield "sensitivity", lambda: sensitivity.sensitivity(one.study)
    yield "targets", lambda: targets.costs([answer.study for answer in answers], reached)
    yield "plane", lambda: plane.paths(several[1].study, LAND)
    yield "profiles", lambda: profiles.performance("tuned", [a.study for a in several], [a.reached for a in several])


FIGURES = (
    "steps", "seconds", "overview", "evaluations", "document", "fits", "finals", "pairs", "sensitivity", "targets", "plane",
    "profiles",
)  # fmt: skip


def test_every_figure_is_tested(answers, several):
    assert tuple(name for name, _ in drawings(answers, several)) == FIGURES


@pytest.mark.parametrize("name", FIGURES)
def test_a_figure_is_whole(name, answers, several):
    """Inside its page, with named axes, words for every reader, and the numbers that it shows for every contender."""
    drawing = dict(drawings(answers, several))[name]()

    assert fits_on_the_page(drawing.figure)
    assert len(drawing.caption) > 80
    assert len(drawing.alt) > 60
    assert drawing.title.startswith(("Parabola", "Beale", "Performance"))
    contenders = FEW if name in ("plane", "profiles") else NAMES
    if name == "profiles":
        assert set(FEW) <= set(drawing.data.columns)
    else:
        named = set(drawing.data["optimizer"]) | set(drawing.data.get("other", ()))
        assert named == set(contenders)
    assert not drawing.data.drop(columns=["final"], errors="ignore").isna().to_numpy().any()
    texts = [text.get_text() for axes in drawing.figure.axes for text in (axes.xaxis.label, axes.yaxis.label)]
    texts += [drawing.figure.get_supxlabel(), drawing.figure.get_supylabel()]
    assert any(texts) or name == "pairs"


@pytest.mark.parametrize("name", ["steps", "seconds", "fits", "sensitivity", "plane", "profiles"])
def test_small_multiples_have_a_panel_for_each_contender(name, answers, several):
    """Titles begin with the names, none lies over another."""
    figure = dict(drawings(answers, several))[name]().figure
    contenders = FEW if name in ("plane", "profiles") else NAMES
    figure.draw_without_rendering()
    panels = [axes for axes in figure.axes if axes.get_title()]
    others = [axes for axes in figure.axes if axes not in panels]
    boxes = [axes.title.get_window_extent() for axes in panels]

    assert len(panels) == len(contenders)
    assert {
        next(c for c in sorted(contenders, key=len, reverse=True) if axes.get_title().startswith(c)) for axes in panels
    } == set(contenders)
    assert [axes.get_ylabel() for axes in others] == ["mean squared error, above the least value (dimensionless)"] * (
        name == "plane"
    )
    assert not any(a.overlaps(b) for a, b in itertools.combinations(boxes, 2))


def test_curves_are_the_medians_of_the_study(tuned):
    """The strong line of a panel is the median over the seeds, its bands hold half and 90 % of them."""
    figure = curves.every_curve(tuned.study, "steps", tuned.compared).figure
    for axes, runs in zip(figure.axes, tuned.study.entries, strict=True):
        (line,) = [line for line in axes.lines if line.get_label() == "median"]

        np.testing.assert_array_equal(line.get_xdata(), runs.steps)
        np.testing.assert_allclose(line.get_ydata(), np.median(runs.losses, axis=0))


def test_names_at_the_ends_do_not_touch(tuned):
    """Eighteen names beside one panel."""
    figure = curves.overview(tuned.study).figure
    figure.draw_without_rendering()
    (axes,) = figure.axes
    names = {text.get_text(): text.get_window_extent() for text in axes.texts}

    assert set(names) == set(NAMES)
    assert not any(a.overlaps(b) for a, b in itertools.combinations(names.values(), 2))


def test_contenders_of_one_evaluation_a_step_have_no_figure_of_evaluations():
    assert curves.evaluations(study(names=("SGD", "Adam"))) is None


def test_a_line_ends_with_the_budget_of_evaluations(tuned):
    """Where a budget of evaluations ends before that of steps, the records that repeat the last one are not drawn."""
    (runs,) = [runs for runs in tuned.study.entries if runs.contender.name == "LBFGS"]
    cut = dataclasses.replace(runs, evaluations=np.minimum(runs.evaluations, 60), losses=runs.losses)
    shorter = dataclasses.replace(tuned.study, entries=(cut, *(r for r in tuned.study.entries if r is not runs)))
    compared = answering.answer(shorter).compared
    (line,) = [
        line for line in curves.every_curve(shorter, "steps", compared).figure.axes[0].lines if line.get_label() == "median"
    ]

    assert line.get_xdata()[-1] == 20
    assert parts.steps_made(cut) == 20


def test_chosen_rates_are_marked_and_edges_flagged(tuned):
    """The mark lies at the best median; it is another one at an end of the grid, and the caption names those."""
    drawing = sensitivity.sensitivity(tuned.study)
    edges = [name for name, tuning in tuned.study.tunings.items() if tuning.at_edge]
    assert edges
    for axes, (name, tuning) in zip(drawing.figure.axes, tuned.study.tunings.items(), strict=True):
        (mark,) = [line for line in axes.lines if line.get_label().startswith("chosen")]

        assert mark.get_xdata()[0] == tuning.settings[tuning.chosen]["lr"]
        assert ("edge" in mark.get_label()) == (name in edges)
    assert drawing.caption.endswith(f"{', '.join(edges)}.")
    assert f"{sum(t.runs for t in tuned.study.tunings.values())} training runs" in drawing.caption


def test_second_hyperparameter_has_lines_of_its_own(tuned):
    """With momentum tuned too, the line of the chosen value is strong and the other one grey."""
    tuning = next(iter(tuned.study.tunings.values()))
    settings = tuple({"lr": lr, "momentum": momentum} for lr in GRID for momentum in (0.0, 0.9))
    both = dataclasses.replace(
        tuning, settings=settings, finals=np.repeat(tuning.finals, 2, axis=0), chosen=2 * tuning.chosen + 1
    )
    label = tuned.study.entries[0].contender.label
    drawing = sensitivity.sensitivity(dataclasses.replace(tuned.study, tunings={label: both}))
    (axes,) = drawing.figure.axes

    assert "momentum 0.9" in axes.get_title()
    assert sum(line.get_color() == "0.6" for line in axes.lines) == 1
    assert set(drawing.data["momentum"]) == {0.0, 0.9}


def test_untuned_protocols_have_no_sensitivity(answers):
    assert sensitivity.sensitivity(answers[0].study) is None


def test_matrix_of_pairs_says_what_the_comparison_says(tuned):
    """A plus for each pair that is better, and as many minus signs; numbers for the others."""
    figure = finals.pairs(tuned.study, tuned.compared).figure
    marks = [text.get_text() for text in figure.axes[0].texts]

    assert marks.count("+") == marks.count("−") == tuned.compared.distinguished
    assert len(marks) == 2 * tuned.compared.pairs


def test_too_few_seeds_are_told():
    one = answering.answer(study(seeds=range(6)))

    assert "no pair could be told apart; 13 are needed" in finals.pairs(one.study, one.compared).caption
    assert any("too few to tell any pair apart" in note for note in tables.table(one).notes)


def test_diverged_runs_are_counted_in_the_figure(answers):
    """16 of one contender and 3 of another under `same`, 3 of a third under `default`."""
    figure = finals.distributions([one.study for one in answers]).figure
    texts = [sorted(text.get_text() for text in axes.texts) for axes in figure.axes]

    assert texts == [["16 diverged", "3 diverged"], ["3 diverged"], []]


def test_costs_that_are_never_reached_stand_in_the_stripe(answers):
    """As many hollow marks in each panel as contenders that do not reach the target."""
    reached = {one.study.protocol: one.reached for one in answers}
    never = sum(not found.ever for by_label in reached.values() for found in by_label.values())
    figure = targets.costs([one.study for one in answers], reached).figure

    assert never > 0
    for axes in figure.axes:
        assert sum(line.get_markerfacecolor() == "white" for line in axes.lines) == never


def test_problem_without_target_has_no_costs(tuned):
    one = answering.answer(dataclasses.replace(tuned.study, target=None))

    assert one.reached == {}
    assert targets.costs([one.study], {}) is None
    assert "steps to target" not in tables.table(one).columns


def test_paths_start_where_the_iterates_do(several):
    figure = plane.paths(several[1].study, LAND).figure
    runs = several[1].study.entries[0]
    starts = [tuple(np.ravel(line.get_data())) for line in figure.axes[0].lines if line.get_markerfacecolor() == "white"]

    assert [tuple(point[0]) for point in runs.iterates[: plane.PATHS]] == starts[: plane.PATHS]
    assert plane.paths(several[0].study, LAND) is None


def test_objective_below_zero_is_drawn_above_its_optimum():
    """A function that goes down to -78 has a logarithmic axis of the height above its known minimum."""
    one = study(names=FEW)
    lower = dataclasses.replace(
        one,
        floor=np.full(16, -78.0),
        entries=tuple(dataclasses.replace(r, losses=r.losses - one.floor[:, None] - 78.0 + 1e-9) for r in one.entries),
    )
    tall = parts.height(lower)

    assert tall.log
    assert tall.offset == -78.0
    assert tall.label.endswith("above the optimum")
    unknown = dataclasses.replace(lower, floor=np.full(16, np.nan))
    assert not parts.height(unknown).log
    assert fits_on_the_page(curves.overview(unknown).figure)


def test_known_minima_of_the_seeds_are_taken_off():
    """Where every seed has an optimum of its own, curves are drawn above it; a noise floor is none, and stays."""
    noisy = study(names=FEW)
    exact = dataclasses.replace(noisy, optimum=True, floor=noisy.floor)
    shown = parts.above_minimum(exact)

    assert parts.above_minimum(noisy) is noisy
    np.testing.assert_allclose(shown.entries[0].losses + exact.floor[:, None], exact.entries[0].losses)
    assert shown.target is None
    assert "above its minimum (" in shown.objective
    same = dataclasses.replace(exact, floor=np.full(16, 0.005))
    assert parts.above_minimum(same).target == pytest.approx(exact.target - 0.005)
    zero = dataclasses.replace(exact, floor=np.zeros(16))
    assert parts.above_minimum(zero) is zero


def test_rounding_below_the_optimum_is_the_optimum(tuned):
    """A loss of -1e-15 where the least value is 0 does not make the axis linear."""
    entries = tuple(dataclasses.replace(r, losses=np.where(r.losses < 0.0101, -1e-15, r.losses)) for r in tuned.study.entries)
    one = dataclasses.replace(tuned.study, entries=entries, floor=np.zeros(16), optimum=True)

    assert parts.height(one).log
    assert fits_on_the_page(curves.overview(one).figure)


def test_targets_that_nobody_reaches_have_no_figure(several):
    """Nor has a profile over them."""
    hard = [answering.answer(dataclasses.replace(one.study, target=1e-9)) for one in several]

    assert targets.costs([hard[0].study], {"tuned": hard[0].reached}) is None
    assert profiles.performance("tuned", [one.study for one in hard], [one.reached for one in hard]) is None
    assert all(row[1] == "0 of 3" for row in tables.solved(hard).rows)


def test_runs_that_all_diverge_can_be_drawn():
    """Nothing breaks where a contender, or all of them, leaves the numbers."""
    one = study(names=FEW[:2])
    losses = one.entries[0].losses.copy()
    losses[:, 1:] = np.nan
    lost = dataclasses.replace(one, entries=tuple(dataclasses.replace(r, losses=losses) for r in one.entries))
    answer = answering.answer(lost)

    assert fits_on_the_page(curves.every_curve(lost, "steps", answer.compared).figure)
    assert fits_on_the_page(finals.distributions([lost]).figure)
    assert [row[2] for row in tables.table(answer).rows] == ["diverged", "diverged"]


def test_single_runs_mislead_less_from_shared_starts():
    """Two contenders, one better by 0.1 in every seed, seeds 1 and 2 apart by one: alone they mislead in one of two cases."""
    one = study(names=FEW[:2], seeds=range(8))
    base = np.array([1.0, 2.0] * 4)
    entries = [
        dataclasses.replace(r, losses=np.stack([base + shift] * 2, axis=1), steps=np.array([0, 1]))
        for r, shift in zip(one.entries, (0.0, 0.1))
    ]
    answer = answering.answer(dataclasses.replace(one, entries=tuple(entries), target=None))
    apart, shared = document.mistaken(answer.study, answer.compared)

    assert answer.compared.distinguished == 1
    assert shared == 0.0
    assert apart == pytest.approx(16 / 56)


def test_text_beside_the_document_figure(tuned):
    """What it shows, and what the published one could not."""
    text = document.text(tuned.study, tuned.compared)

    for words in ("its own initialisation", "luckier start", "well below 0.01", "wrong order", "mean square"):
        assert words in text


def test_table_holds_what_the_study_says(answers):
    """Medians, intervals that hold them, groups, divergences, tuning; in the order of the medians."""
    for one in answers:
        frame = tables.numbers(one)
        by_label = {runs.contender.label: runs for runs in one.study.entries}

        assert list(frame["final"]) == sorted(median(runs.final) for runs in one.study.entries)
        assert ((frame["final_low"] <= frame["final"]) & (frame["final"] <= frame["final_high"])).all()
        assert [int(n) for n in frame["diverged"]] == [int(np.isnan(by_label[name].final).sum()) for name in frame["optimizer"]]
        assert ("tuning_runs" in frame) == (one.study.protocol == "tuned")
        shown = tables.table(one)
        assert all(len(row) == len(shown.columns) for row in shown.rows)
        assert [row[0] for row in shown.rows] == list(frame["optimizer"])


def test_tables_over_problems(several):
    """Each problem has a column of places from 1 on; the areas and the numbers of solved problems belong to the profiles."""
    ranks, solved = tables.ranks(several), tables.solved(several)

    for column, one in zip(range(2, 2 + len(PROBLEMS)), several, strict=True):
        places = sorted(int(row[column].split()[0]) for row in ranks.rows)
        assert places[0] == 1
        assert len(ranks.rows) == len(one.study.entries)
    for row in solved.rows:
        reached = sum(one.reached[row[0]].ever for one in several)
        assert row[1] == f"{reached} of {len(PROBLEMS)}"


def test_terminal_tells_one_problem_in_full_and_several_in_short(answers, several):
    def printed(found):
        console = Console(width=110, record=True, file=io.StringIO())
        console.print(summary([one.study for one in found]))
        return console.export_text()

    one, more = printed(answers), printed(several)
    for protocol in PROTOCOLS:
        assert f"Parabola, {protocol}" in one
    assert one.count("Optimizers that share a letter are") == 1
    assert "diverged" in one
    assert "Places on 3 problems" in more
    assert "Parabola, tuned" not in more


def test_terminal_of_eighty_columns_cuts_nothing(answers, several):
    """Every name is there in full, broken between words where it is long, and no number ends in dots."""
    for found in (answers, several):
        console = Console(width=80, record=True, file=io.StringIO())
        console.print(summary([one.study for one in found]))
        text = console.export_text()

        assert "…" not in text
        words = {word for one in found for runs in one.study.entries for word in runs.contender.label.split()}
        assert words <= set(text.split())


@pytest.mark.parametrize("which", ["answers", "several"])
def test_gallery_of_one_problem_and_of_several(which, request):
    """Every file name once; one problem has every protocol, several have the tuned one; what has no figure is left out."""
    found = request.getfixturevalue(which)
    known = facts(landscape=lambda _: LAND, fits=with_fits, document=lambda one: one.problem == "parabola")
    places = list(gallery.all_figures(found, known))
    drawn = [drawing.stem for place in places if (drawing := place.draw())]

    assert len(set(drawn)) == len(drawn)
    assert any("document" in stem for stem in drawn)
    assert any("profiles" in stem for stem in drawn) == (which == "several")
    assert sum(stem.endswith("-pairs") for stem in drawn) == 3
    stems = [table.stem for _, table in gallery.all_tables(found)]
    assert len(set(stems)) == len(stems)
    assert len(places) > len(drawn)


@pytest.mark.parametrize(("low", "high"), [(140.0, 290.0), (9.0, 11.0), (2.1, 4.9), (0.01, 0.9), (1.0, 1e6)])
def test_a_logarithmic_axis_has_two_numbers_at_least(low: float, high: float) -> None:
    """With a single number nobody can tell how far apart two marks are."""
    axes = Figure().subplots()
    axes.set(xscale="log", xlim=(low, high))
    parts.logarithmic(axes, low, high, "x")
    ticks = [tick for tick in axes.get_xticks() if low <= tick <= high]

    assert 2 <= len(ticks) <= 8
