"""Figures: every card shows agreement and is labelled, files are reproducible, nothing is cut or overlaps."""

import dataclasses
import itertools

import matplotlib
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from matplotlib.image import imread
from pictures import fits_on_the_page

import lossbench.plots
from benchkit import figures
from benchkit.request import RIGHT, Request, UsageError
from benchkit.results import read
from reference import LOSSES

ITEMS = [pytest.param(item, id=item.slug) for item in LOSSES.values()]


@pytest.mark.usefixtures("there")
@pytest.mark.parametrize("item", ITEMS)
def test_card(item):
    """A card has two labelled panels with a line and markers for each option, and torch's markers lie on the lines."""
    figure, texts = lossbench.plots.card(item)
    panels = figure.axes

    assert len(panels) == 2
    for axes in panels:
        assert axes.get_xlabel().replace("\n", " ") == item.figure.xlabel
        assert axes.get_ylabel().endswith(("(dimensionless)", "(nats)"))
        assert item.name in axes.get_title()
        assert len(axes.lines) == 2 * len(item.figure.options)
        for line, markers in zip(axes.lines[::2], axes.lines[1::2], strict=True):
            on_line = np.interp(markers.get_xdata(), line.get_xdata(), line.get_ydata())
            jump = np.abs(np.diff(line.get_ydata())).max()  # between two points of the line the curve may bend, or jump
            assert np.abs(on_line - markers.get_ydata()).max() <= jump + 1e-5
            assert np.isfinite(line.get_ydata()).all()
    assert fits_on_the_page(figure)
    assert item.name in texts["alt"]
    assert len(texts["caption"]) > 80


def test_the_cards_of_all_leave_out_what_torch_lacks(tmp_path, monkeypatch):
    """Asked for by name it is an error, in one sentence."""
    absent = dataclasses.replace(LOSSES["MSELoss"], path="torch.nn.MSELossOfTheFuture")
    monkeypatch.setattr(lossbench.plots, "LOSSES", {"L1Loss": LOSSES["L1Loss"], "MSELoss": absent})
    request = Request("lossbench", "plot", reports=tmp_path)

    assert lossbench.plots.plot(request) == RIGHT
    drawn = {record["title"] for record in read(request.results_file).of("figure")}
    assert drawn == {"SmoothL1 against L1", "L1Loss"}
    with pytest.raises(UsageError, match="OfTheFuture to draw; leave MSELossOfTheFuture out"):
        lossbench.plots.plot(dataclasses.replace(request, items=("MSELoss",)))


@pytest.mark.usefixtures("there")
@pytest.mark.parametrize("item", ITEMS)
def test_torch_lies_on_the_reference(item):
    """Value and derivative of torch in float64 agree with the reference at the markers of every curve."""
    low, high = item.figure.span
    x = low + (high - low) * (np.arange(lossbench.plots.MARKERS) + 0.3) / lossbench.plots.MARKERS
    constructor = lossbench.plots.torch_class(item.path)
    for chosen in item.figure.options:
        how = item, item.figure, chosen, x, "float64"
        expected = lossbench.plots.evaluate(lossbench.plots.FormulaSubject(item), *how)
        got = lossbench.plots.evaluate(lossbench.plots.ModuleSubject(item, "cpu", constructor), *how)

        np.testing.assert_allclose(got[0], expected[0], rtol=1e-6, atol=1e-9)
        np.testing.assert_allclose(got[1], expected[1], rtol=1e-6, atol=1e-9)


def test_item_without_figure_is_named():
    """A loss that declares no figure is a clear error."""
    item = dataclasses.replace(LOSSES["L1Loss"], figure=None)

    with pytest.raises(UsageError, match="L1Loss declares no figure"):
        lossbench.plots.card(item)


@pytest.mark.parametrize(
    ("wrong", "what"),
    [
        ({"inputs": lambda x: (x[:, None], x[:, None] * 0.0)}, "losses of shape"),
        ({"gradient": lambda by: by[0][1:]}, "derivatives of shape"),
        ({"inputs": lambda x: (x, np.zeros(len(x), dtype=int))}, "inputs that fit none"),
    ],
    ids=["losses", "derivatives", "inputs"],
)
def test_wrong_figure_is_named(wrong, what):
    """A figure that gives not one loss and one derivative for each x is a clear error."""
    item = dataclasses.replace(LOSSES["L1Loss"], figure=dataclasses.replace(LOSSES["L1Loss"].figure, **wrong))

    with pytest.raises(UsageError, match=f"figure of L1Loss gives {what}"):
        lossbench.plots.card(item)


def test_the_edge_of_the_page_is_seen():
    """A label that is longer than its figure is told from one that is not."""
    figure = drawn()
    assert fits_on_the_page(figure)
    figure.axes[0].set_xlabel("far too long a label for four inches " * 3)
    assert not fits_on_the_page(figure)


def test_comparison_shows_both_losses_and_their_gradients():
    """The document's figure: its labels, and curves that follow from the definitions."""
    figure = lossbench.plots.comparison()
    values, slopes = figure.axes
    x = values.lines[0].get_xdata().astype(float)
    by_name = {line.get_label(): line.get_ydata() for line in slopes.lines}

    assert (values.get_xlabel(), values.get_ylabel()) == ("x_i - y_i", "loss value")
    assert [text.get_text() for text in values.get_legend().get_texts()] == ["SmoothL1 (beta = 1)", "L1"]
    np.testing.assert_allclose(values.lines[1].get_ydata(), np.abs(x), rtol=1e-6)
    np.testing.assert_allclose(by_name["SmoothL1 (beta = 1)"], np.clip(x, -1.0, 1.0), rtol=1e-5, atol=1e-6)
    np.testing.assert_array_equal(by_name["L1"], np.sign(x))
    assert fits_on_the_page(figure)


def test_loss_plot_command_writes_what_it_records(tmp_path):
    """Files, texts and records of the command."""
    request = Request(suite="lossbench", command="plot", items=("L1Loss", "CTCLoss"), reports=tmp_path)

    assert lossbench.plots.plot(request) == RIGHT
    results = read(request.results_file)
    assert [record["id"] for record in results.of("figure")] == ["card-l1", "card-ctc"]
    assert results.ended
    for record in results.of("figure"):
        assert imread(tmp_path / record["file"]).std() > 0.01
        assert "<svg" in (tmp_path / record["svg"]).read_text()
        assert all(record[field] for field in ("title", "caption", "alt", "group"))


def drawn():
    figure, (axes,) = figures.panels(size=(4.0, 3.0))
    axes.plot([0.0, 1.0], [0.0, 1.0], label="a line")
    axes.set(xlabel="x", ylabel="y")
    axes.legend()
    return figure


def test_same_figure_gives_same_bytes(tmp_path):
    """PNG and SVG hold no date and no chance, and the PNG has 150 dots per inch."""
    texts = {"title": "t", "caption": "c", "alt": "a", "group": "g"}
    first, second = (figures.save(drawn(), tmp_path / name, "line", **texts) for name in ("one", "two"))

    assert first == second
    for kind in ("file", "svg"):
        assert (tmp_path / "one" / first[kind]).read_bytes() == (tmp_path / "two" / first[kind]).read_bytes()
    assert imread(tmp_path / "one" / first["file"]).shape[:2] == (450, 600)


def test_unwritable_folder_is_named(tmp_path):
    """A file in the place of the folder is a usage error that names it."""
    (tmp_path / "figures").write_text("in the way")

    with pytest.raises(UsageError, match="cannot write figures to"):
        figures.save(drawn(), tmp_path, "line", title="t", caption="c", alt="a", group="g")


def test_style_keeps_curves_apart():
    """Every pair of colour and line style occurs once, and the style does not leak out of its block."""
    before = matplotlib.rcParams["axes.prop_cycle"]
    with figures.style():
        looks = [(look["color"], look["linestyle"]) for look in matplotlib.rcParams["axes.prop_cycle"]]

    assert len(set(looks)) == len(looks) == 12
    assert matplotlib.rcParams["axes.prop_cycle"] == before


@given(st.lists(st.floats(0.0, 1.0), max_size=15))
def test_spread_keeps_the_gap_and_the_order(places):
    """Names keep their distance, stay inside, and stay where they are if nothing is near."""
    gap = 0.06
    moved = figures.spread(sorted(places), gap)

    assert all(b - a >= gap - 1e-9 for a, b in itertools.pairwise(moved))
    assert all(-1e-9 <= place <= 1.0 + 1e-9 for place in moved)
    if all(b - a >= gap for a, b in itertools.pairwise(sorted(places))):
        np.testing.assert_allclose(moved, sorted(places))
