"""Properties of every declared loss formula: derivative, second source, planted bugs, options, independence of torch."""

import ast
import hashlib
import inspect
import itertools
import re
import runpy
import subprocess
import sys
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
import pytest
from scipy.special import log_softmax

from benchkit.attribute import torch_class
from benchkit.domains import Draw, draw_case
from benchkit.precision import FLOAT32
from benchkit.proving import SUBJECT
from lossbench.oracle import Formula, collect
from reference import LOSSES

HERE = Path(__file__).parent
SECOND, SHAPES = map(runpy.run_path(str(HERE / "second_source.py")).get, ("SECOND", "SHAPES"))

LANES = ("exact", "ordinary", "edge")
ITEMS = [pytest.param(item, id=item.slug) for item in LOSSES.values()]
# A broken class in torch's place has no formula to compare: whether it is told is for ``prove`` to say.
BUGS = [
    pytest.param(item, bug, id=f"{item.slug}: {bug.name}")
    for item in LOSSES.values()
    for bug in item.planted_bugs
    if bug.part != SUBJECT
]


@dataclass
class Case:
    """One drawn call of a formula: positional inputs (a log_softmax already taken), options, and the inputs' domains."""

    lane: str
    variant: str
    inputs: list
    options: dict
    domains: dict
    declared: dict

    def __str__(self):
        return f"{self.lane} {self.variant} {self.options}"

    @property
    def differentiable(self):
        """The numbers of the inputs, then the names of the options, that the item is differentiated by."""
        inputs = [k for k, domain in enumerate(self.domains.values()) if domain.differentiable]
        return inputs + [name for name, option in self.declared.items() if getattr(option, "differentiable", False)]

    def at(self, k):
        """What is differentiated by: an input by its number, an option by its name."""
        return self.options[k] if isinstance(k, str) else self.inputs[k]

    def moved(self, item, k, index, step):
        """The losses with one element of what is differentiated by moved."""
        array = self.at(k).copy()
        array[index] += step
        inputs = [array if i == k else x for i, x in enumerate(self.inputs)]
        return item.function(*inputs, **(self.options | ({k: array} if isinstance(k, str) else {})))


def combinations(item, variant, rng, count):
    """The default options and ``count`` other valid combinations of ordinary and edge values."""
    grid = {name: [*values, *item.edge_options.get(name, ())] for name, values in item.options.items()}
    found = [dict(zip(grid, values)) for values in itertools.product(*grid.values())]
    found = [options for options in found if item.valid is None or item.valid({**options, "variant": variant})]
    return [found[0], *(found[1 + k] for k in rng.permutation(len(found) - 1)[:count])]


def cases(item, lanes=LANES, count=6, shapes=None):
    """Cases over variants, lanes, shapes (default: the declared ones) and options, the same ones in every run."""
    for variant, lane in itertools.product(item.variants, lanes):
        digest = hashlib.sha256(f"{item.slug} {variant} {lane}".encode()).digest()
        rng = np.random.default_rng(int.from_bytes(digest[:8], "big"))
        domains = item.variants[variant]
        declared = [*item.shapes, *(item.edge_shapes if lane == "edge" else ())]
        for shape in shapes or declared:
            for options in combinations(item, variant, rng, count):
                draw = draw_case(domains, options, Draw(rng, lane, shape, FLOAT32, rowwise="elementwise" not in item.tags))
                inputs = [
                    log_softmax(draw.inputs[name], axis=-1) if domain.through == "log_softmax" else draw.inputs[name]
                    for name, domain in domains.items()
                ]
                yield Case(lane, variant, inputs, draw.options, domains, options)


def same(a, b):
    """Equality with NaN equal to itself."""
    return (a == b) | (np.isnan(a) & np.isnan(b))


def magnitude(item, case):
    """How large the intermediate results may be that cancel in a loss: in a row, as large as its largest input."""
    if "elementwise" in item.tags:
        return 1.0
    finite = [np.abs(x[np.isfinite(x)]).max(initial=1.0) for x in case.inputs if x.dtype.kind == "f"]
    return max(finite)


def numerical_slope(function, x, scale):
    """The derivative of the sum of ``function``'s losses at a step of 0, as (slope, tolerance), or None where it has none.

    A five-point difference at two widths: their disagreement is the tolerance, with the rounding of results as large as
    ``scale``. There is no slope where the one-sided differences keep their distance as the step shrinks (a kink) or where
    a loss is not finite.
    """
    h = 2.0**-10 * max(abs(x), 2.0**-4)
    if not np.isfinite(x) or not np.isfinite(1.0 / h):
        return None
    losses = np.stack([function(step * h) for step in (0.0, 2.0, 1.0, 0.5, -0.5, -1.0, -2.0)])
    moved = ~same(losses, losses[:1]).all(axis=0)
    relevant = losses[:, moved] if moved.any() else losses
    if not np.isfinite(relevant).all():
        return None
    f0, p2, p1, p05, m05, m1, m2 = losses[:, moved].sum(axis=1)
    noise = 1e-15 * np.abs(relevant).max(initial=scale) / h
    wide_gap, narrow_gap = abs(p1 + m1 - 2 * f0) / h, abs(p05 + m05 - 2 * f0) / (h / 2)
    if narrow_gap > 0.75 * wide_gap and narrow_gap > 100 * noise:
        return None
    wide, narrow = (8 * (p1 - m1) - (p2 - m2)) / (12 * h), (8 * (p05 - m05) - (p1 - m1)) / (6 * h)
    tolerance = 10 * (abs(wide - narrow) + noise) + 1e-9 * abs(narrow) + 1e-300
    return (narrow, tolerance) if tolerance <= 1e-3 * max(abs(narrow), 1e-2) else None


@pytest.mark.parametrize("item", ITEMS)
def test_derivative_agrees_with_differences(item):
    """The analytic derivative by every differentiable input is the slope of the value, away from kinks."""
    compared, ordinary = {}, []
    for case in cases(item, shapes=SHAPES.get(item.slug)):
        with np.errstate(all="ignore"):
            slopes = item.gradient_function(*case.inputs, **case.options)
            assert len(slopes) == len(case.differentiable), f"{case}: one derivative for each differentiable input"
            losses = item.function(*case.inputs, **case.options)
            axes = item.row_axes(case.inputs[0]) if callable(item.row_axes) else item.row_axes
            for slope, k in zip(slopes, case.differentiable):
                x = case.at(k)
                # Where losses share an input, the infinite ones have no part in the sum that is compared.
                counted = np.isfinite(losses) | (np.shape(slope) == np.shape(x))
                slope = collect(counted, slope, axes, np.shape(x), lambda share, by: np.where(share, by, 0.0))
                assert np.shape(slope) == np.shape(x), f"{case}: the derivative by input {k} has the input's shape"
                for index in np.ndindex(x.shape):
                    if abs(x[index]) > 1e20:  # a step there goes over every kink that is near
                        continue
                    found = numerical_slope(partial(case.moved, item, k, index), float(x[index]), magnitude(item, case))
                    ordinary += [found is not None] if case.lane == "ordinary" else []
                    if found is None:
                        continue
                    expected, tolerance = found
                    if "straight-through" in item.tags and expected == 0.0:
                        continue  # a clamp that is documented to be ignored in differentiation
                    compared[case.variant, k] = compared.get((case.variant, k), 0) + 1

                    assert abs(slope[index] - expected) <= tolerance, (
                        f"{case}: input {k}{list(index)} = {x[index]}: {case.inputs}"
                    )

    for variant, domains in item.variants.items():
        wanted = {k for k, domain in enumerate(domains.values()) if domain.differentiable}
        assert wanted <= {k for v, k in compared if v == variant}, f"{variant}: every differentiable input was compared"
    assert np.mean(ordinary) > 0.8, "most ordinary inputs lie away from kinks"


@pytest.mark.parametrize("item", ITEMS)
def test_value_agrees_with_a_second_source(item):
    """Every item has a second source, and the formula agrees with it on exact and ordinary inputs."""
    assert item.slug in SECOND, f"give {item.slug} a second source in tests/second_source.py"
    compared = 0
    for case in cases(item, lanes=("exact", "ordinary"), count=4, shapes=SHAPES.get(item.slug)):
        with np.errstate(all="ignore"):
            expected = SECOND[item.slug](*case.inputs, **case.options)
            value = item.function(*case.inputs, **case.options)

        assert np.shape(value) == np.shape(expected), str(case)
        close = np.abs(value - expected) <= 1e-12 * (1.0 + np.abs(expected))
        assert (close | same(value, expected)).all(), f"{case}: {value} is not {expected} at {case.inputs}"
        compared += int(np.isfinite(expected).sum())

    assert compared > 0


@pytest.mark.parametrize("item", ITEMS)
def test_losses_have_the_input_shape_less_the_row_axes(item):
    """A loss belongs to a slice of the first input along the row axes, in edge shapes too; or several losses do, of places."""
    for case in cases(item, count=2):
        x = case.inputs[0]
        axes = item.row_axes(x) if callable(item.row_axes) else item.row_axes
        kept = np.delete(x.shape, np.asarray(axes, dtype=int))
        with np.errstate(all="ignore"):
            value = item.function(*case.inputs, **case.options)

        assert np.shape(value)[: len(kept)] == tuple(kept), str(case)
        assert len(np.shape(value)) == len(kept) or "places" in item.tags, str(case)


def evaluate(item, case, part, function):
    """What ``function`` makes of the part that it stands for: losses, derivatives, incoming gradients or the reduced loss."""
    if part == "incoming":
        return [function(np.array([0.25, -1.5, 1.0]))]
    if part == "value":
        return [function(*case.inputs, **case.options)]
    if part == "gradient":
        return list(function(*case.inputs, **case.options))
    losses = item.function(*case.inputs, **case.options)
    denominator = losses.size if function is None else function(*case.inputs, **case.options)
    return [np.sum(losses / denominator)]


def right_part(item, part):
    if part == "incoming":
        return np.positive
    return item.parts().get(part) if part in item.reductions else item.part(part)


@pytest.mark.parametrize(("item", "bug"), BUGS)
def test_planted_bug_differs_from_the_formula(item, bug):
    """A planted bug changes a value, a derivative or a reduction on some drawn input."""
    for case in cases(item):
        with np.errstate(all="ignore"):
            try:
                wrong = evaluate(item, case, bug.part, bug.function)
            except (ValueError, IndexError):  # refusing what is allowed is wrong too
                return
            right = evaluate(item, case, bug.part, right_part(item, bug.part))
            differs = [
                np.shape(a) != np.shape(b) or not np.allclose(a, b, rtol=1e-9, atol=0.0, equal_nan=True)
                for a, b in zip(wrong, right)
            ]
        if any(differs):
            return
    pytest.fail(f"{item.name}: the planted bug {bug.name!r} is the formula itself on every drawn input")


@pytest.mark.parametrize("item", ITEMS)
def test_planted_bugs_are_enough(item):
    """Every item has planted bugs in its value and in its derivative, with names of their own."""
    names = [bug.name for bug in item.planted_bugs]

    assert len(names) >= 4
    assert len(set(names)) == len(names)
    assert {"value", "gradient"} <= {bug.part for bug in item.planted_bugs}


@pytest.mark.parametrize("item", ITEMS)
def test_docstring_keeps_its_order(item):
    """One line, then formula, shapes, domain, ties or edges, where torch differs, accuracy and source."""
    order = ["Formula", "Shapes", "Domain", "Ties", "Edges", "Where torch differs", "Accuracy", "Source"]
    found = [heading for heading in re.findall(r"^ +([A-Z][a-z ]+)(?: \(.*\))?:", item.doc, re.MULTILINE) if heading in order]

    assert found == sorted(found, key=order.index)
    assert {"Formula", "Shapes", "Domain", "Accuracy", "Source"} <= set(found)
    assert item.doc.splitlines()[0].endswith(".")


@pytest.mark.usefixtures("there")
@pytest.mark.parametrize("item", ITEMS)
def test_options_are_those_of_the_torch_class(item):
    """The declared options and their defaults are those of torch's constructor, less what every class takes alike."""
    constructor = torch_class(item.path)
    parameters = dict(list(inspect.signature(constructor.__init__).parameters.items())[1:])
    ours = {"size_average", "reduce", "reduction", "device", "dtype"}
    own = {name: parameter.default for name, parameter in parameters.items() if name not in ours}
    required = {name for name, default in own.items() if default is inspect.Parameter.empty}

    assert set(item.required) == required
    assert set(item.options) == set(own)
    assert {k: v for k, v in item.defaults.items() if k not in required} == {k: v for k, v in own.items() if k not in required}
    assert set(item.edge_options) <= set(item.options)


def test_reference_needs_no_torch():
    """``import reference`` works where torch cannot be imported, and declares what it declares with torch."""
    program = """
import sys

class Forbidden:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] == "torch":
            raise ModuleNotFoundError(f"{name} is forbidden here")

sys.meta_path.insert(0, Forbidden())
import reference
print(*reference.LOSSES)
"""
    done = subprocess.run([sys.executable, "-c", program], cwd=HERE.parent, capture_output=True, text=True, check=False)

    assert done.returncode == 0, done.stderr
    assert done.stdout.split() == list(LOSSES)


def test_no_module_of_reference_imports_torch():
    """Nothing under reference/ names torch in an import statement."""
    files = sorted((HERE.parent / "reference").rglob("*.py"))
    imported = {}
    for file in files:
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Import):
                imported.setdefault(file, set()).update(alias.name.partition(".")[0] for alias in node.names)
            elif isinstance(node, ast.ImportFrom) and node.module:
                imported.setdefault(file, set()).add(node.module.partition(".")[0])

    assert len(files) > len(LOSSES)
    assert not [file.name for file, names in imported.items() if "torch" in names]


@pytest.mark.parametrize("reduction", ["none", "mean", "sum"])
@pytest.mark.parametrize("shape", [(3,), (2, 1), (2, 3), ()], ids=str)
def test_all_elements_of_an_option_are_moved_at_once(reduction, shape):
    """The gradient by a tensor option is that of the value along each of its elements, however it is broadcast."""
    item = LOSSES["BCEWithLogitsLoss"]
    rng = np.random.default_rng(5)
    inputs = {"input": rng.normal(size=(2, 3)), "target": rng.random((2, 3))}
    options = {**item.defaults, "pos_weight": 1.0 + rng.random(shape)}

    def value(option):
        return Formula(item, item.variants[""], inputs, {**options, "pos_weight": option}, reduction).value

    upstream = rng.normal(size=np.shape(value(options["pos_weight"])))
    found = Formula(item, item.variants[""], inputs, options, reduction).by_option("pos_weight", upstream)
    for index in np.ndindex(shape):
        along = np.zeros(shape)
        along[index] = 1.0  # the loss is linear in the weight
        moved = value(options["pos_weight"] + along) - value(options["pos_weight"])
        assert found[index] == pytest.approx(np.sum(upstream * moved), rel=1e-9)
