"""The error contract tested itself: whoever takes what must be refused fails, and so does whoever refuses what is right."""

from __future__ import annotations

import dataclasses
import itertools
import math
import os
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

import pytest
import torch

from benchkit import isolation
from benchkit.contract import Refusal
from benchkit.contract_check import ContractCase, extended, judged
from benchkit.isolation import ANSWERED, DIED, ENDLESS, RAISED, Assistant
from benchkit.judge import ERROR, FAIL, PASS, UNSUPPORTED
from benchkit.request import DISCREPANCY, DTYPES, Request
from benchkit.results import read
from benchkit.spec import Item
from benchkit.verification import verify
from lossbench.contract import CONTRACT as OF_LOSSES
from lossbench.verify import BENCH as LOSSES
from optimbench.contract import CONTRACT as OF_OPTIMIZERS
from optimbench.verify import BENCH as OPTIMIZERS
from reference import LOSSES as LOSS_ITEMS
from reference import OPTIMIZERS as OPTIMIZER_ITEMS

ITEMS = LOSS_ITEMS | OPTIMIZER_ITEMS
EVERY_ITEM = pytest.mark.parametrize("item", ITEMS.values(), ids=ITEMS)


def contract_of(item: Item):
    return OF_LOSSES if item.name in LOSS_ITEMS else OF_OPTIMIZERS


def cases_of(item: Item, level: str = "quick", path: str = "") -> list[ContractCase]:
    found = contract_of(item).cases(item, level, ("float32",), "cpu", 0)
    return [case for case in found if not path or case.path == path]


def answered(number: float) -> torch.Tensor:
    """An answer, which is also the loss among the fields of an answer."""
    found = torch.tensor(number)
    found.loss = found
    return found


class Anything:
    """A loss and an optimizer that take whatever they are given."""

    def __init__(self, *arguments, **options):
        self.param_groups = [{"params": [torch.nn.Parameter(torch.ones(2, 3, device="cpu"))]}]

    def __call__(self, *inputs, **options):
        return answered(0.5)

    def to(self, dtype):
        return self

    def add_param_group(self, group):
        pass

    def state_dict(self):
        return {"state": {}, "param_groups": []}

    def load_state_dict(self, state):
        pass

    def step(self, closure=None):
        pass


class OnlyOnce(Anything):
    """Takes the right call, which comes first, and nothing after it."""

    made = itertools.count()

    def __init__(self, *arguments, **options):
        super().__init__()
        if next(self.made) % 2:
            raise ValueError("not again")


class AnotherEachTime(Anything):
    """Answers with another number each time."""

    made = itertools.count()

    def __init__(self, *arguments, **options):
        super().__init__()
        self.param_groups[0]["params"][0].data += float(next(self.made))

    def __call__(self, *inputs, **options):
        return answered(float(next(self.made)))


class Aborts(Anything):
    """Ends the process at the second call."""

    made = itertools.count()

    def __init__(self, *arguments, **options):
        super().__init__()
        if next(self.made) % 2:
            os.abort()


class LosesItsWay(Anything):
    """Raises an assertion of its own insides at the second call."""

    made = itertools.count()

    def __init__(self, *arguments, **options):
        super().__init__()
        if next(self.made) % 2:
            raise RuntimeError("x == y INTERNAL ASSERT FAILED at somewhere, please report a bug to PyTorch")


def outcomes(item: Item, constructor: type, *, own: bool, refusals: bool, most: int = 10_000) -> Counter[str]:
    """The statuses of a class that stands in the place of an item's own, in the case of every clause of one kind."""
    contract, found = contract_of(item), Counter()
    assistant = Assistant({"torch": torch, "constructor": constructor, "F": float.fromhex, "nan": math.nan})
    chosen = [case for case in cases_of(item) if isinstance(case.clause, Refusal) == refusals and case.path != "functional"]
    for case in chosen[-most:]:
        assistant.sure.clear()  # so that the right call comes first each time
        found[judged(case, contract.script(case), "constructor", assistant, own).status] += 1
    assistant.forget()
    return found


@pytest.mark.usefixtures("there")
@EVERY_ITEM
def test_whoever_takes_a_bad_call_fails(item: Item) -> None:
    """Of every item, every refusal: an answer is a failure, for torch's own class. No script fails by itself."""
    found = outcomes(item, Anything, own=True, refusals=True)
    assert set(found) == {FAIL}, found


@pytest.mark.usefixtures("there")
@EVERY_ITEM
def test_of_a_class_in_torchs_place_only_what_is_binding_is_asked(item: Item) -> None:
    """There, an answer to a bad call fails where any answer would be meaningless, and is listed as unsupported elsewhere."""
    binding = sum(
        getattr(case.clause, "binding", False) for case in cases_of(item) if case.path not in ("functional", "foreach")
    )
    found = outcomes(item, Anything, own=False, refusals=True)
    assert found[FAIL] == binding
    assert set(found) <= {FAIL, UNSUPPORTED}


@EVERY_ITEM
@pytest.mark.parametrize("constructor", [Aborts, LosesItsWay])
def test_a_crash_is_no_refusal(item: Item, constructor: type) -> None:
    """Neither the death of the process nor an internal assertion, of torch's own class and of others."""
    for own in (True, False):
        found = outcomes(item, constructor, own=own, refusals=True, most=2)
        assert set(found) == {FAIL}, found


ACCEPTING = [item for item in ITEMS.values() if any(not isinstance(case.clause, Refusal) for case in cases_of(item))]


@pytest.mark.parametrize("item", ACCEPTING, ids=lambda item: item.name)
def test_whoever_refuses_a_right_call_fails(item: Item) -> None:
    """Of torch's own classes; one in their place need not take every form of a call."""
    assert set(outcomes(item, OnlyOnce, own=True, refusals=False)) == {FAIL}
    assert set(outcomes(item, OnlyOnce, own=False, refusals=False)) == {UNSUPPORTED}


@pytest.mark.parametrize("item", ACCEPTING, ids=lambda item: item.name)
def test_another_form_of_a_call_has_the_same_answer(item: Item) -> None:
    """Unless the clause says that it means something else."""
    compared = sum(not getattr(c.clause, "different", True) for c in cases_of(item) if c.path != "functional")
    for own in (True, False):
        found = outcomes(item, AnotherEachTime, own=own, refusals=False)
        assert found[FAIL] == compared
        assert set(found) <= {FAIL, PASS}


@pytest.mark.usefixtures("there")
@EVERY_ITEM
def test_the_installed_torch_runs_every_script(item: Item) -> None:
    """No script is wrong, and none is left out because torch does not know an option."""
    bench = LOSSES if item.name in LOSS_ITEMS else OPTIMIZERS
    subject = bench.subject(item, "cpu", getattr(torch.nn if item.name in LOSS_ITEMS else torch.optim, item.name))
    found = [record for case in cases_of(item) for record in bench.run_case(case, subject, frozenset())]
    assert [r["message"] for r in found if r["status"] not in (PASS, FAIL)] == []
    assert all(r["compared"] == r["telling"] == 1 for r in found)


@EVERY_ITEM
@pytest.mark.parametrize("level", ["quick", "standard"])
def test_ids_are_unique(item: Item, level: str) -> None:
    """An id names one check, and begins with the item's slug, as --resume and the waivers need it."""
    cases = list(contract_of(item).cases(item, level, DTYPES, "cpu", 0))
    ids = [case.id(case.check) for case in cases]
    assert len(set(ids)) == len(ids) > 0
    assert all(id.startswith(f"{item.slug}[") for id in ids)


@EVERY_ITEM
def test_no_format_is_needed(item: Item) -> None:
    """A run in one format has the contract in that format; where an example is in float32 alone, none in others."""
    for dtype in DTYPES:
        found = {case.dtype for case in contract_of(item).cases(item, "standard", (dtype,), "cpu", 0)}
        assert found == {dtype} or (found == set() and getattr(item, "example", None) is not None)


def test_a_formula_has_no_contract() -> None:
    """The reference refuses nothing; ``prove`` passes over these cases."""
    case = cases_of(LOSS_ITEMS["L1Loss"])[0]
    assert list(LOSSES.run_case(case, LOSSES.formula(case.item), frozenset())) == []


def test_a_wrong_declaration_is_an_error() -> None:
    """A right call that torch refuses, and text that is no Python: errors, never passes."""
    item = LOSS_ITEMS["L1Loss"]
    case = next(case for case in cases_of(item) if isinstance(case.clause, Refusal))
    subject = LOSSES.subject(item, "cpu", torch.nn.L1Loss)
    script = OF_LOSSES.script(case)
    for part in ({"sound": "answer = make()(1)"}, {"tried": "answer = made()"}, {"tried": "answer ="}):
        wrong = dataclasses.replace(OF_LOSSES, script=lambda _, part=part: dataclasses.replace(script, **part))
        (record,) = extended(LOSSES, wrong).run_case(case, subject, frozenset())
        assert record["status"] == ERROR, record["message"]


# ---- A whole run, and its reproducers ----------------------------------------------------------------------------------------

MODULE = """
import torch


class Clamps(torch.nn.CrossEntropyLoss):
    def forward(self, input, target):
        if not target.is_floating_point():
            inside = target.clamp(0, input.shape[min(1, input.ndim - 1)] - 1)
            target = torch.where(target == self.ignore_index, target, inside)
        return super().forward(input, target)


class SortsByName(torch.optim.SGD):
    def __init__(self, params, *args, **kwargs):
        params = list(params)
        if isinstance(params[0], tuple):
            params = [params[0][1]]
        super().__init__(params, *args, **kwargs)
"""


@pytest.mark.parametrize(
    ("suite", "item", "name", "torchs", "check"),
    [
        ("lossbench", "CrossEntropyLoss", "Clamps", "torch.nn.CrossEntropyLoss", "refuses"),
        ("optimbench", "SGD", "SortsByName", "torch.optim.SGD", "accepts"),
    ],
)
def test_a_reproducer_fails_until_the_class_is_right(
    suite: str, item: str, name: str, torchs: str, check: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A class that moves bad indices into range, one that loses named parameters: found in a run, with scripts that say so."""
    (tmp_path / "careless.py").write_text(MODULE, encoding="utf-8")
    monkeypatch.syspath_prepend(str(tmp_path))
    request = Request(
        suite, "verify", (item,), dtypes=("float32",), level="quick", impl=f"careless:{name}", reports=tmp_path / "reports"
    )
    assert verify(request, LOSSES if suite == "lossbench" else OPTIMIZERS) == DISCREPANCY

    failed = [r for r in read(request.results_file).of("check") if r["status"] == "fail"]
    assert {r["check"] for r in failed} == {check}
    assert all(1 <= len(r["message"]) <= 5 and "differs" in r["message"][0] and r["id"] in r["message"][1] for r in failed)
    assert len({r["repro"] for r in failed}) == len({r["variant"] for r in failed})  # one for each clause
    script = tmp_path / "reports" / failed[0]["repro"]
    text = script.read_text(encoding="utf-8")
    assert "benchkit" not in text
    assert len(text.splitlines()) < 70
    assert run(script, tmp_path).returncode == 1
    script.write_text(text.replace(f"careless.{name}", torchs), encoding="utf-8")
    outcome = run(script, tmp_path)
    assert outcome.returncode == 0, outcome.stdout + outcome.stderr


def test_a_live_crash_of_torch_has_a_reproducer(tmp_path: Path) -> None:
    """CTCLoss reads foreign memory for a bad label: a script that dies, or answers what it should not."""
    item = LOSS_ITEMS["CTCLoss"]
    case = next(case for case in cases_of(item) if "2**32" in case.words)
    text = LOSSES.reproduce(case, case.check, LOSSES.subject(item, "cpu", torch.nn.CTCLoss), None)
    if text is None:
        pytest.skip("the installed torch refuses it")
    (tmp_path / "script.py").write_text(text, encoding="utf-8")
    assert run(tmp_path / "script.py", tmp_path).returncode != 0


def run(script: Path, folder: Path) -> subprocess.CompletedProcess[str]:
    """Run a script where this project is not to be found; warnings are errors, unless it says otherwise."""
    command = [sys.executable, "-W", "error", str(script)]
    return subprocess.run(command, cwd=folder, env={"PYTHONPATH": str(folder)}, capture_output=True, text=True)


# ---- The process of their own ------------------------------------------------------------------------------------------------


def test_how_a_script_ends() -> None:
    """An answer, an exception with its part and its bases, a death with its signal, NaN."""
    assistant = Assistant({"torch": torch})
    assert assistant.run("x = 1", "answer = x + 1").kind == ANSWERED
    assert assistant.run("x = 1", "answer = x + 1").text == "2"
    assert assistant.run("answer = torch.tensor([0.0, torch.nan])").nan
    raised = assistant.run("x = 1", "raise KeyError('a\\nb')", "answer = x")
    assert (raised.kind, raised.part, raised.error) == (RAISED, 1, "KeyError")
    assert "LookupError" in raised.kinds
    assert assistant.run("import sys", "sys.exit(0)").error == "SystemExit"
    died = assistant.run("import os, signal", "os.kill(os.getpid(), signal.SIGSEGV)")
    assert died.kind == DIED
    assert "SIGSEGV" in died.text
    assert assistant.run("answer = 3").text == "3"  # a new process
    assistant.forget()


def test_scripts_do_not_see_each_other() -> None:
    """Each has a fresh copy of the names."""
    assistant = Assistant({"torch": torch})
    assistant.run("x = 1", "answer = x")
    assert assistant.run("answer = x").error == "NameError"
    assistant.forget()


def test_a_script_that_does_not_end(monkeypatch: pytest.MonkeyPatch) -> None:
    """It is ended, and the next one has a process of its own."""
    monkeypatch.setattr(isolation, "PATIENCE_S", 0.2)
    assistant = Assistant({"torch": torch})
    assert assistant.run("while True: pass").kind == ENDLESS
    monkeypatch.undo()
    assert assistant.run("answer = 1").kind == ANSWERED
    assistant.forget()


def test_processes_end_with_their_assistants() -> None:
    """In any order, and though a later one holds copies of the lines to the earlier ones."""
    assistants = [Assistant({"torch": torch}) for _ in range(3)]
    children = []
    for assistant in assistants:
        children.append(int(assistant.run("import os", "answer = os.getpid()").text))
    assistants[0].forget()
    del assistant, assistants[0]
    assistants.clear()
    deadline = time.monotonic() + 10.0
    while any(Path(f"/proc/{child}").exists() for child in children) and time.monotonic() < deadline:
        time.sleep(0.01)
    assert not any(Path(f"/proc/{child}").exists() for child in children)
