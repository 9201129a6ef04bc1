"""Waivers: what may be waived, what a waiver covers, and when it must go."""

from __future__ import annotations

import datetime
import io
import json

import pytest
from rich.console import Console

from benchkit.request import Request, UsageError
from benchkit.tally import Tally
from benchkit.verification import _print as print_
from benchkit.verification import _settle as settle
from benchkit.waivers import Waivers, default_path
from reference import LOSSES, OPTIMIZERS

TODAY = datetime.date(2026, 1, 1)

TABLE = {
    "id": "beta-0",
    "item": "SmoothL1Loss",
    "check": "gradient",
    "device": "cpu",
    "dtype": ["float32", "float64"],
    "torch": ">=2.9,<2.15",
    "reason": "NaN where input equals target",
    "link": "https://example.org/96813",
    "expires": "2026-06-30",
}

RECORD = {
    "kind": "check",
    "id": "smooth_l1[beta=0.0]-gradient-mean-float32-cpu-eager-edge-n7-s3",
    "item": "SmoothL1Loss",
    "check": "gradient",
    "device": "cpu",
    "dtype": "float32",
    "path": "eager",
    "lane": "edge",
    "status": "fail",
    "ratio": "inf",
    "wrong": ["nan"],
    "message": ["SmoothL1Loss differs", "d/dinput[3] = nan (nan), but should be 0"],
}


def toml(*tables):
    lines = []
    for table in tables:
        lines += ["[[waiver]]", *(f"{key} = {json.dumps(value)}" for key, value in table.items() if value is not None)]
    return "\n".join(lines)


@pytest.fixture
def load(tmp_path):
    """Waivers from tables: ``load(TABLE)``, or ``load(TABLE | {"case": ...}, torch="2.9.0")``."""

    def read(*tables, torch="2.13.0+cpu", today=TODAY):
        path = tmp_path / "waivers.toml"
        path.write_text(toml(*tables), encoding="utf-8")
        return Waivers.load(path, torch, today)

    return read


def test_the_project_s_own_waivers_are_well_formed():
    """They load, and each names declared items only."""
    waivers = Waivers.load(None, "2.13.0", TODAY)
    for waiver in waivers.waivers:
        assert set(waiver.item) <= {*LOSSES, *OPTIMIZERS}, waiver.id
    assert default_path().name == "waivers.toml"


def test_the_example_in_the_file_is_a_waiver(tmp_path):
    """The commented example at the top of waivers.toml is what the reader accepts."""
    lines = default_path().read_text(encoding="utf-8").splitlines()
    start = lines.index("# [[waiver]]")
    end = lines.index("#", start)
    example = [line.removeprefix("# ") for line in lines[start:end]]
    (tmp_path / "waivers.toml").write_text("\n".join(example), encoding="utf-8")
    (waiver,) = Waivers.load(tmp_path / "waivers.toml", "2.13.0", TODAY).waivers
    assert waiver.covers(RECORD)


def test_a_waiver_covers_its_case(load):
    """The record of the defect is matched, whatever its status."""
    waivers = load(TABLE)
    assert waivers.match(RECORD).id == "beta-0"
    assert waivers.match(RECORD | {"status": "pass"}).id == "beta-0"


def test_a_defect_that_is_waived_on_the_cpu_is_named_for_another_device(load):
    """It is no excuse; and what fails otherwise there, or on the CPU itself, is nothing that is known."""
    waivers = load(TABLE | {"case": "smooth_l1[beta=0.0]-*-cpu-eager-*", "wrong": "nan"})
    there = RECORD | {"device": "cuda", "id": str(RECORD["id"]).replace("-cpu-", "-cuda-")}
    assert waivers.match(there) is None
    assert waivers.match_on_cpu(there).id == "beta-0"
    assert waivers.match_on_cpu(there | {"wrong": ["inf"]}) is None
    assert waivers.match_on_cpu(RECORD) is None


def test_what_is_waived_on_the_cpu_is_counted_at_the_end(load, tmp_path):
    """A failure of another device stays one, and the last lines say what it resembles."""
    there, tally = RECORD | {"device": "cuda", "compared": 1, "telling": 1}, Tally()
    request = Request("lossbench", "verify", reports=tmp_path)
    settle(there, load(TABLE), request)
    tally.add(there)
    console = Console(record=True, width=200, file=io.StringIO())
    print_(console, request, tally, [], tmp_path / "results.jsonl")
    assert there["status"] == "fail"
    assert "1 of the discrepancies are as waived on the CPU: beta-0 (1)" in console.export_text()


def test_described(load):
    """What the report says of a waiver travels with the results."""
    assert load(TABLE).described() == {
        "beta-0": {"reason": TABLE["reason"], "link": TABLE["link"], "expires": TABLE["expires"], "finding": "beta-0"}
    }


@pytest.mark.parametrize(("ratio", "excused"), [(99.0, True), (101.0, False), ("inf", False), ("nan", False), (None, False)])
def test_a_defect_of_limited_size(load, ratio, excused):
    """A failure that is further off than the defect explains is not excused, and yet shows that the waiver is needed."""
    waivers = load(TABLE | {"largest": 100.0})
    assert (waivers.match(RECORD | {"ratio": ratio}) is not None) == excused
    waivers.note(RECORD | {"ratio": ratio})
    assert waivers.problems(complete=True) == []


@pytest.mark.parametrize(("status", "needed"), [("pass", False), ("marginal", True), ("waived", True)])
def test_a_defect_of_limited_size_may_stay_below_the_limit(load, status, needed):
    """With other numbers what is not far off may be marginal, which is no reason to remove the waiver."""
    waivers = load(TABLE | {"largest": 100.0})
    waivers.note(RECORD | {"status": status, "ratio": 3.0})
    assert bool(waivers.problems(complete=True)) != needed


@pytest.mark.parametrize("field", ["item", "check", "device", "dtype", "path", "lane"])
def test_a_waiver_covers_nothing_else(load, field):
    """A record that differs in any one field is not covered; with ``*`` in that field it is (an item must be named)."""
    table = TABLE | {"path": "eager", "lane": "edge"}
    other = RECORD | {field: "float16" if field == "dtype" else "Other"}
    assert load(table).match(RECORD)
    assert load(table).match(other) is None
    if field != "item":
        assert load(table | {field: "*"}).match(other)
    assert load(table | {field: [other[field], RECORD[field]]}).match(other)


@pytest.mark.parametrize(
    ("pattern", "covered"),
    [
        ("*", True),
        ("smooth_l1[beta=0.0]-*", True),
        ("smooth_l1[beta=0.5]-*", False),
        ("smooth_l1[b]*", False),
        ("*-n?-s3", True),
        ("SMOOTH*", False),
        ("smooth_l1", False),
        (["smooth_l1[beta=0.5]-*", "*-n?-s3"], True),
        (["smooth_l1[beta=0.5]-*", "*-n?-s4"], False),
    ],
)
def test_case_patterns(load, pattern, covered):
    """``*`` and ``?`` are wildcards; the brackets of a case id are themselves and case counts; of a list one is enough."""
    assert bool(load(TABLE | {"case": pattern}).match(RECORD)) == covered


@pytest.mark.parametrize(
    ("field", "shown", "excused"),
    [
        ({"wrong": "nan"}, {}, True),
        ({"wrong": "nan"}, {"wrong": ["nan", "number"]}, False),
        ({"wrong": ["nan", "number"]}, {"wrong": ["nan", "number"]}, True),
        ({"wrong": ["nan", "number"]}, {"wrong": ["number"]}, True),
        ({"wrong": "inf"}, {}, False),
        ({"wrong": "number"}, {"wrong": ["number for nan"]}, False),
        ({"wrong": "nan"}, {"wrong": []}, False),
        ({"wrong": "other"}, {"wrong": []}, True),
        ({"says": "= nan"}, {}, True),
        ({"says": ["raised", "= nan"]}, {}, True),
        ({"says": "raised"}, {}, False),
        ({"wrong": "nan", "says": "raised"}, {}, False),
    ],
)
@pytest.mark.parametrize("status", ["fail", "waived", "shared"])
def test_a_defect_is_told_by_how_it_shows(load, field, shown, excused, status):
    """Another wrong answer in a case of the waiver is not excused, and so fails the run."""
    waivers = load(TABLE | field)
    assert bool(waivers.match(RECORD | shown | {"status": status})) == excused


@pytest.mark.parametrize("field", [{"wrong": "nan"}, {"largest": 50.0}, {"says": "raised"}])
def test_a_right_answer_shows_nothing(load, field):
    """Where the check passes, how the defect would show is not asked: the waiver is seen to be out of date."""
    waivers = load(TABLE | field)
    waivers.note(RECORD | {"status": "pass", "ratio": 0.1, "wrong": [], "message": []})
    assert "no longer fails" in waivers.problems(complete=True)[0]


@pytest.mark.parametrize(
    ("torch", "holds"),
    [("2.9.0", True), ("2.8.1", False), ("2.14.0.dev20260101", True), ("2.15.0", False), ("2.13.0+cu130", True)],
)
def test_torch_range(load, torch, holds):
    """Outside of its versions a waiver neither matches nor causes problems; local and development versions count."""
    waivers = load(TABLE, torch=torch)
    waivers.note(RECORD | {"status": "pass"})
    assert bool(waivers.match(RECORD)) == holds
    assert bool(waivers.problems(complete=True)) == holds


def test_a_waiver_that_is_needed_is_no_problem(load):
    """One failing case among those that it covers is enough."""
    waivers = load(TABLE)
    waivers.note(RECORD | {"status": "pass"})
    waivers.note(RECORD | {"status": "waived"})
    assert waivers.problems(complete=True) == []


@pytest.mark.parametrize("status", ["pass", "marginal"])
def test_a_waiver_that_no_longer_fails(load, status):
    """All that it covers is right: it must go, but only a complete run can tell."""
    waivers = load(TABLE)
    waivers.note(RECORD | {"status": status})
    (problem,) = waivers.problems(complete=True)
    assert "'beta-0' no longer fails" in problem
    assert waivers.problems(complete=False) == []


@pytest.mark.parametrize("whole", [False, True])
def test_a_defect_that_shows_seldom_is_not_missed(load, whole):
    """Where few of its cases fail, those of a run may all be right; its finding has a reproducer that fails for certain."""
    waivers = load(TABLE | {"seldom": True})
    waivers.note(RECORD | {"status": "pass"})
    assert waivers.problems(complete=True, whole=whole) == []


def test_a_defect_that_shows_seldom_must_have_cases(load):
    """One that matches nothing is wrong, however seldom it shows."""
    waivers = load(TABLE | {"seldom": True})
    waivers.note(RECORD | {"check": "forward", "status": "pass"})
    assert "'beta-0' matches nothing" in waivers.problems(complete=True, whole=True)[0]


def test_a_waiver_of_several_patterns(load):
    """It covers what any of them covers."""
    assert load(TABLE | {"case": ["nothing", "smooth_l1[beta=0.0]-*"]}).match(RECORD)
    assert not load(TABLE | {"case": ["nothing", "neither"]}).match(RECORD)


def test_a_waiver_that_matches_nothing(load):
    """Its item ran whole on its device and no case was its own."""
    waivers = load(TABLE)
    waivers.note(RECORD | {"check": "forward", "status": "pass"})
    (problem,) = waivers.problems(complete=True)
    assert "'beta-0' matches nothing" in problem
    assert waivers.problems(complete=False) == []


@pytest.mark.parametrize("status", ["absent", "unsupported"])
def test_what_did_not_run_shows_nothing(load, status):
    """A case that could not run does not make a waiver look unneeded by being right."""
    waivers = load(TABLE)
    waivers.note(RECORD | {"check": "forward", "status": "pass"})
    waivers.note(RECORD | {"status": status})
    assert "matches nothing" in waivers.problems(complete=True)[0]


@pytest.mark.parametrize(
    "change", [{"device": "cuda"}, {"device": ["cpu", "cuda"]}, {"item": "MSELoss"}, {"item": ["MSELoss", "SmoothL1Loss"]}]
)
def test_a_waiver_for_what_was_not_in_the_run(load, change):
    """A run without one of its items or devices says nothing about a waiver."""
    waivers = load(TABLE | change)
    waivers.note(RECORD | {"status": "pass"})
    assert waivers.problems(complete=True) == []


def test_any_device_means_the_one_that_ran(load):
    """A defect of every device fails on each."""
    waivers = load(TABLE | {"device": "*"})
    waivers.note(RECORD | {"status": "pass"})
    assert "no longer fails" in waivers.problems(complete=True)[0]


def test_an_expired_waiver(load):
    """It still matches, so that the run has one problem and not a hundred failures; the last day itself is not past."""
    last = datetime.date(2026, 6, 30)
    for today, problems in ((last, 0), (last + datetime.timedelta(days=1), 1)):
        waivers = load(TABLE, today=today)
        assert waivers.match(RECORD)
        waivers.note(RECORD | {"status": "waived"})
        found = waivers.problems(complete=False)
        assert len(found) == problems
        assert all("'beta-0' expired on 2026-06-30" in problem for problem in found)


def test_every_matching_waiver_is_judged(load):
    """Two waivers of the same failing case are both needed."""
    waivers = load(TABLE, TABLE | {"id": "second", "case": "smooth*"})
    assert waivers.match(RECORD).id == "beta-0"
    waivers.note(RECORD | {"status": "waived"})
    assert waivers.problems(complete=True) == []


WRONG = {
    "unknown field": ({"owner": "me"}, "unknown field 'owner'"),
    "missing reason": ({"reason": None}, "has no 'reason'"),
    "empty reason": ({"reason": ""}, "has no 'reason'"),
    "missing expiry": ({"expires": None}, "has no 'expires'"),
    "missing dtype": ({"dtype": None}, "has no 'dtype'"),
    "flaky": ({"reason": "Flaky on the CI machine"}, "'flaky' is not a reason"),
    "specifier": ({"torch": "2.9 or newer"}, "'2.9 or newer' is not a version specifier"),
    "date": ({"expires": "next summer"}, "'next summer'"),
    "number as a date": ({"expires": 2027}, "2027"),
    "link": ({"link": "ask Bob"}, "'ask Bob'"),
    "dtype": ({"dtype": "float23"}, "unknown dtype 'float23'"),
    "number as a word": ({"lane": 3}, "lane must be a word"),
    "empty list": ({"check": []}, "has no 'check'"),
    "any and a word": ({"device": ["*", "cpu"]}, "device must be"),
    "every item": ({"item": "*"}, "covers every item"),
    "number as a pattern": ({"case": 7}, "case must be a word"),
    "kind of answer": ({"wrong": "strange"}, "wrong must be of number, nan, inf"),
    "a passing ratio": ({"largest": 4.0}, "largest must be a number above 4"),
    "word for seldom": ({"seldom": "yes"}, "seldom must be true or false"),
}


@pytest.mark.parametrize("case", WRONG)
def test_what_is_not_well_formed_is_named(load, case):
    """The sentence names the waiver and what is wrong with it."""
    change, message = WRONG[case]
    with pytest.raises(UsageError) as caught:
        load(TABLE | change)
    assert "'beta-0'" in str(caught.value)
    assert message in str(caught.value)


def test_ids_are_their_own(load):
    """Two waivers of one name could not be told apart in the report."""
    with pytest.raises(UsageError, match="'beta-0' is there twice"):
        load(TABLE, TABLE)


def test_a_waiver_without_an_id_is_counted(load):
    """Where there is no name, the position tells which one is meant."""
    with pytest.raises(UsageError, match="waiver number 2 has no 'id'"):
        load(TABLE, TABLE | {"id": None})


@pytest.mark.parametrize("text", ["[[waiver]", "[waiver]\nid = 'a'", "[[waver]]\nid = 'a'", "title = 'a'"])
def test_other_files_are_refused(tmp_path, text):
    """A misspelt table would waive nothing without a word."""
    path = tmp_path / "waivers.toml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(UsageError, match=r"waivers\.toml"):
        Waivers.load(path, "2.13.0", TODAY)


def test_absent_file(tmp_path):
    """A path that was given must exist."""
    with pytest.raises(UsageError, match=r"none\.toml"):
        Waivers.load(tmp_path / "none.toml", "2.13.0", TODAY)
