"""Findings: well formed, tied to the waivers, and still to be seen in the installed torch."""

from __future__ import annotations

import datetime

import pytest
import torch

from benchkit.findings import BROKEN, GONE, SHOWS, default_folder, load, reproduce
from benchkit.request import UsageError
from benchkit.waivers import Waivers
from reference import LOSSES, OPTIMIZERS

FINDINGS = load()
WAIVERS = Waivers.load(None, torch.__version__, datetime.date.today()).waivers


@pytest.mark.parametrize("waiver", WAIVERS, ids=lambda waiver: waiver.id)
def test_every_waiver_has_its_finding(waiver) -> None:
    """The finding tells of the items that the waiver excuses."""
    finding = FINDINGS.get(waiver.finding or waiver.id)
    assert finding, f"waiver {waiver.id!r} points to no finding; write findings/{waiver.finding or waiver.id}.toml"
    assert set(waiver.item) <= set(finding.item)


@pytest.mark.parametrize("finding", FINDINGS.values(), ids=FINDINGS.keys())
def test_every_finding_is_of_declared_items_and_has_a_waiver(finding) -> None:
    assert set(finding.item) <= {*LOSSES, *OPTIMIZERS}
    if finding.holds_for(torch.__version__):
        assert finding.id in {waiver.finding or waiver.id for waiver in WAIVERS}


@pytest.mark.parametrize("finding", FINDINGS.values(), ids=FINDINGS.keys())
def test_the_defect_is_still_there(finding) -> None:
    """A reproducer that runs through means that torch was mended: narrow the range of the finding and its waivers."""
    if not finding.holds_for(torch.__version__):
        pytest.skip(f"torch {torch.__version__} is not among the versions {finding.versions} of the finding")
    outcome, said = reproduce(finding)
    assert outcome == SHOWS, said
    assert said, "the assertion must say what went wrong"


def changed(tmp_path, **fields):
    """The one finding of a folder that holds a copy of the first, with some fields changed."""
    text = (default_folder() / "sgd-fused-half-blocks.toml").read_text(encoding="utf-8")
    head, _, script = text.partition("reproducer =")
    lines = [line for line in head.splitlines() if line.split(" =")[0] not in fields]
    lines += [f"{key} = {value!r}" for key, value in fields.items() if value is not None and key != "reproducer"]
    script = f"reproducer = {fields['reproducer']!r}" if "reproducer" in fields else f"reproducer ={script}"
    (tmp_path / "one.toml").write_text("\n".join([*lines, script]), encoding="utf-8")
    return load(tmp_path)["one"]


@pytest.mark.parametrize(
    ("fields", "complaint"),
    [
        ({"severity": "bad"}, "severity must be one of crash, memory, "),
        ({"title": None}, "has no 'title'"),
        ({"colour": "red"}, "unknown field 'colour'"),
        ({"link": "somewhere"}, "the link must be a URL"),
        ({"versions": "new"}, "versions must be a specifier"),
        ({"item": 3}, "item must be a word"),
    ],
)
def test_a_finding_that_is_not_well_formed_is_named(tmp_path, fields, complaint) -> None:
    with pytest.raises(UsageError, match=f"finding 'one'.*{complaint}"):
        changed(tmp_path, **fields)


@pytest.mark.parametrize(
    ("script", "severity", "outcome", "word"),
    [
        ("assert 1 + 1 == 2", "NaN", GONE, "held"),
        ("assert 1 + 1 == 3, 'two'", "NaN", SHOWS, "two"),
        ("1 / 0", "NaN", BROKEN, "ZeroDivisionError"),
        ("import os; os._exit(3)", "crash", SHOWS, "died"),
        ("import os; os._exit(3)", "NaN", BROKEN, "died"),
    ],
)
def test_how_a_reproducer_ends(tmp_path, script, severity, outcome, word) -> None:
    ended, said = reproduce(changed(tmp_path, reproducer=script, severity=severity))
    assert ended == outcome
    assert word in said
