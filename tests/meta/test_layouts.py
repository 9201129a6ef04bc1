"""The checks of layouts tested themselves: what is right only for contiguous tensors fails, and what is right in all passes."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import torch
from meta import broken_layouts

from benchkit.judge import ERROR, FAIL, MARGINAL, PASS, UNSUPPORTED
from benchkit.request import DTYPES
from lossbench.families import COUNTS, Family, empty, layouts
from lossbench.layouts import CONTIGUOUS, LAYOUTS, Laid
from lossbench.verify import BENCH
from reference import LOSSES


def family(item, name: str, dtype: str, level: str = "standard") -> Family:
    """A family as a level has it."""
    return Family(item, name, level, dtype, "cpu", 0, COUNTS[level][name])


def cases_of(item: str, dtype: str = "float32") -> list:
    return [c for c in layouts(family(LOSSES[item], "layouts", dtype)) if c.path == "eager"]


def records(item: str, constructor: type) -> Iterator[dict]:
    """The records of a class in the place of an item, in the cases of its family of layouts in float32."""
    subject = BENCH.subject(LOSSES[item], "cpu", constructor)
    for case in cases_of(item):
        yield from BENCH.run_case(case, subject, frozenset())


@pytest.mark.parametrize("constructor", broken_layouts.RIGHT, ids=lambda c: c.__name__)
def test_what_the_wrong_ones_start_from_is_right(constructor: type) -> None:
    """So that each is refused for its own fault and for nothing else."""
    found = list(records(broken_layouts.RIGHT[constructor], constructor))
    assert {r["status"] for r in found} <= {PASS, MARGINAL, UNSUPPORTED}
    assert PASS in {r["status"] for r in found}


@pytest.mark.parametrize("constructor", broken_layouts.WRONG, ids=lambda c: c.__name__)
def test_what_is_wrong_in_a_layout_fails(constructor: type) -> None:
    """Strides ignored, memory written to, answers that are none: each fails, and the message says what the fault is of."""
    bad = [r for r in records(broken_layouts.WRONG[constructor], constructor) if r["status"] in (FAIL, ERROR)]
    assert bad, "passed"
    assert {r["status"] for r in bad} == {FAIL}
    assert all(1 <= len(r["message"]) <= 5 for r in bad)
    said = broken_layouts.REASONS.get(constructor, "")
    assert any(said in line for r in bad for line in r["message"]), [r["message"] for r in bad]


@pytest.mark.parametrize("constructor", broken_layouts.WRONG, ids=lambda c: c.__name__)
def test_no_other_check_sees_it(constructor: type) -> None:
    """The wrong ones are right where all is contiguous: it is the layouts that tell."""
    item = LOSSES[broken_layouts.WRONG[constructor]]
    subject = BENCH.subject(item, "cpu", constructor)
    cases = [c for c in BENCH.cases(item, "quick", ("float32",), "cpu", 0) if getattr(c, "layouts", None) == ()]
    chosen = [c for c in cases if c.path == "eager" and c.lane in ("exact", "ordinary")]  # torch has defects on the edges
    found = [record for case in chosen[::7] for record in BENCH.run_case(case, subject, frozenset())]
    assert {r["status"] for r in found} <= {PASS, MARGINAL, UNSUPPORTED}


@pytest.mark.parametrize("item", LOSSES.values(), ids=LOSSES)
def test_every_tensor_meets_every_layout(item) -> None:
    """Over the formats no tensor of a call is left out, nor any layout that it can have."""
    met: dict[str, set[str]] = {}
    for dtype in DTYPES:
        for case in layouts(family(item, "layouts", dtype)):
            for name, layout in case.layouts:
                met.setdefault(name, set()).add(layout)
    tensors = {name for inputs in item.variants.values() for name, domain in inputs.items() if not domain.parameter}
    repeating = {name for inputs in item.variants.values() for name, domain in inputs.items() if not domain.repeats}
    assert tensors <= set(met)
    for name, found in met.items():
        assert CONTIGUOUS not in found
        assert len(found) >= (len(LAYOUTS) - 3 if name in repeating else len(LAYOUTS) - 1), (name, found)


@pytest.mark.parametrize("item", LOSSES.values(), ids=LOSSES)
def test_the_layouts_are_not_contiguous(item) -> None:
    """Every case has a tensor that is not: none is a contiguous call by another name."""
    for dtype in DTYPES:
        for make in (layouts, empty):
            for case in make(family(item, make.__name__, dtype)):
                assert case.layouts
                assert all(layout in LAYOUTS for _, layout in case.layouts)


def test_the_sentinels_of_an_integer_tensor_are_valid() -> None:
    """Around class indices lie other indices of the same tensor, so that a wrong read gives a wrong number."""
    laid = Laid(torch.tensor([3, 1, 2]).numpy(), torch.int64, "cpu", "strided")
    assert set(laid.base.tolist()) == {1, 2, 3}
