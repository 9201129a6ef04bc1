"""Steps whose closure answers from a table: no rounding may decide where they lead, or they would tell nothing."""

from __future__ import annotations

import pytest

from benchkit.judge import PASS
from optimbench import closures
from optimbench.cases import Case
from optimbench.formula_subject import FormulaSubject
from reference import OPTIMIZERS

TABLES = [(item, table) for item in OPTIMIZERS.values() for table in item.tabulated]
every_table = pytest.mark.parametrize(("item", "table"), TABLES, ids=lambda value: getattr(value, "slug", None) or value.name)


def case_of(item, table, dtype="float64"):
    given = item.defaults | dict(table.options)
    return Case(item, given, given, item.paths[0], dtype, "cpu", "exact", 0, variant=table.name)


def test_there_are_tables() -> None:
    assert TABLES


@every_table
def test_the_oracle_decides_every_branch_in_float64(item, table) -> None:
    """The formula's own step is judged to its end, parameter and state, and passes."""
    case = case_of(item, table)
    recording = FormulaSubject(item)(case, case.draw())
    recording.own = True
    found = list(closures.judge(case, recording))
    names = [f.name for f in found]
    assert "step 1, parameter" in names
    assert "step 1, n_iter" in names
    assert {f.comparison.status for f in found} == {PASS}


@every_table
def test_names_fit_into_case_ids(item, table) -> None:
    assert table.name.replace("-", "").isalnum()
    assert [t.name for t in item.tabulated].count(table.name) == 1


def test_the_last_answer_stands_for_all_that_follow() -> None:
    """A closure that is asked more often than its table is long is a closure still."""
    problem = closures.Problem("table", closures.PROBLEMS[0].evaluate, answers=((1.0, -1.0), (0.0, 2.0)))
    x = closures.np.full(closures.SIZE, closures.np.nan)
    for number, (loss, first) in enumerate([(1.0, -1.0), (0.0, 2.0), (0.0, 2.0)]):
        found, gradient = problem.answer(number, x, None, None)
        assert found == loss
        assert gradient.tolist() == [first] + [0.0] * (closures.SIZE - 1)
