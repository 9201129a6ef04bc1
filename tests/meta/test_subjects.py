"""The checker against whole implementations: everything wrong is refused, nothing right is, and nothing passes in silence."""

from __future__ import annotations

import dataclasses
import datetime
import functools
import itertools
import sys
import types
from collections.abc import Iterator

import numpy as np
import pytest
import torch
from meta import alternatives, alternatives_losses, broken, broken_modules, newer_optimizers, plain_optimizers

from benchkit import verification
from benchkit.contract_check import ContractCase
from benchkit.domains import reals
from benchkit.grid import generator
from benchkit.judge import ERROR, FAIL, PASS, UNSUPPORTED
from benchkit.request import DISCREPANCY, DTYPES, RIGHT, Request
from benchkit.results import Results, read
from benchkit.spec import Loss
from benchkit.waivers import Waivers
from lossbench.checks import checks_of
from lossbench.verify import BENCH as LOSSES
from optimbench.verify import BENCH as OPTIMIZERS

BENCHES = {"lossbench": LOSSES, "optimbench": OPTIMIZERS}


def records(
    bench,
    item: str,
    constructor,
    *,
    dtypes=("float32",),
    seed: int = 0,
    level: str = "quick",
    most: int = 0,
    besides=("tensor",),
) -> Iterator:
    """The records of a class in the place of an item: of all cases in order, or of so many of each format by chance; of all
    lanes ``besides`` some."""
    declared = bench.registry[item]
    subject = bench.subject(declared, "cpu", constructor)
    for dtype in dtypes:
        cases = [
            c
            for c in bench.cases(declared, level, (dtype,), "cpu", seed)
            if c.path in ("eager", "forloop") and c.lane not in besides and not isinstance(c, ContractCase)
        ]
        chosen = generator(item, dtype, seed).permutation(len(cases))[:most] if most else range(len(cases))
        for number in chosen:
            yield from bench.run_case(cases[number], subject, frozenset())


LATER = (broken.AbortsOnce, broken.NoForward, broken.NoBackward, broken.NoStep)  # need a whole run
WRONG = [
    *((LOSSES, item, c) for c, item in (broken.LOSSES | broken_modules.LOSSES).items() if c not in LATER),
    *((OPTIMIZERS, item, c) for c, item in broken.OPTIMIZERS.items() if c not in LATER),
    *((OPTIMIZERS, item, c) for c, item in (newer_optimizers.WRONG | plain_optimizers.WRONG).items()),
]


@pytest.mark.parametrize(("bench", "item", "constructor"), WRONG, ids=[c.__name__ for _, _, c in WRONG])
def test_a_wrong_implementation_is_refused(bench, item: str, constructor) -> None:
    """Each fault makes at least one check fail at level quick in float32, with a message of at most six lines."""
    found = records(bench, item, constructor, most=10_000)
    bad = next((r for r in found if r["status"] in (FAIL, ERROR)), None)
    assert bad is not None, "passed"
    assert bad["status"] == FAIL
    assert bad["compared"] > 0
    assert 1 <= len(bad["message"]) <= 5  # the sixth line names the reproducer
    assert bad["id"] in bad["message"][1]
    assert all("\n" not in line for line in bad["message"])


@pytest.mark.parametrize(("base", "bench", "item"), [(broken.Loss, LOSSES, "L1Loss"), (broken.Optimizer, OPTIMIZERS, "Adam")])
def test_what_the_wrong_ones_start_from_is_right(base, bench, item: str) -> None:
    """So that each is refused for its own fault and for nothing else."""
    assert {r["status"] for r in records(bench, item, base)} <= {PASS, UNSUPPORTED}


REASONS = {
    broken.NotANumber: ("forward", "nan"),
    broken.ItsInput: ("forward", "shape"),
    broken.AFloat: ("forward", "returned float, but should return a tensor"),
    broken.ANumpyArray: ("forward", "returned ndarray"),
    broken.Nothing: ("forward", "returned NoneType"),
    broken.InDouble: ("forward", "the answer is float64, but should be float32"),
    broken.ComplexNumbers: ("forward", "returned torch.complex64"),
    broken.OneElement: ("forward", "has shape (1,), but should have ()"),
    broken.Raises: ("forward", "raised ValueError: no such luck"),
    broken.Exits: ("forward", "raised SystemExit"),
    broken.ConstructorRaises: ("forward", "raised ValueError: cannot be made"),
    broken.DamagesInput: ("forward", "input: the input was changed in place"),
    broken.DamagesTarget: ("forward", "target: the input was changed in place"),
    broken.LosesNan: ("forward", "the input was changed in place"),
    broken.DamagesWeight: ("forward", "weight: the input was changed in place"),
    broken.IgnoresIncoming: ("incoming", "d/dinput"),
    broken.DetachesTarget: ("gradient", "no gradient flows to target"),
    broken.DetachesAll: ("gradient", "raised RuntimeError"),
    broken.WrongWithGradient: ("gradient", "value"),
    broken.ChangesGradient: ("gradient_kept", "the gradient of parameter 0 was changed in place"),
    broken.ClearsGradient: ("gradient_kept", "was changed in place"),
    broken.StaleCounter: ("lockstep", "step 1, parameter 0, step"),
    broken.NotANumberAtLast: ("lockstep", "step 20, "),
    broken.StepRaises: ("lockstep", "raised ValueError: no such luck"),
    broken.StepExits: ("lockstep", "raised SystemExit"),
    broken.MovesResting: ("lockstep", "changed though it has no gradient"),
    **broken_modules.REASONS,
}


@pytest.mark.parametrize("constructor", REASONS, ids=lambda c: c.__name__)
def test_the_message_says_what_is_wrong(constructor) -> None:
    """The check that fails first is the one that the fault is of, and its message names the fault."""
    losses = broken.LOSSES | broken_modules.LOSSES
    bench, claims = (LOSSES, losses) if constructor in losses else (OPTIMIZERS, broken.OPTIMIZERS)
    item = claims[constructor]
    check, text = REASONS[constructor]
    bad = next(r for r in records(bench, item, constructor) if r["status"] == FAIL)
    assert bad["check"] == check
    assert any(text in line for line in bad["message"]), bad["message"]


@functools.cache
def waivers() -> Waivers:
    return Waivers.load(None, torch.__version__, datetime.date.today())


RIGHT_ONES = [
    *((LOSSES, item, c) for c, item in (alternatives.LOSSES | alternatives_losses.LOSSES).items()),
    *((OPTIMIZERS, item, c) for c, item in alternatives.OPTIMIZERS.items()),
    *((OPTIMIZERS, item, c) for c, item in (newer_optimizers.RIGHT | plain_optimizers.IN_EVERY_FORMAT).items()),
]


@pytest.mark.usefixtures("there")
@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize(("bench", "item", "constructor"), RIGHT_ONES, ids=[c.__name__ for _, _, c in RIGHT_ONES])
def test_a_right_implementation_in_another_algebra_is_not_refused(bench, item: str, constructor, seed: int) -> None:
    """In every format, for five seeds; an upstream defect that the implementation shares is waived for it as for torch."""
    most = 4 if bench is LOSSES else 2
    found = list(records(bench, item, constructor, dtypes=DTYPES, seed=seed, most=most, besides=("tensor", "life")))
    refused = [r["message"] for r in found if r["status"] == ERROR or (r["status"] == FAIL and not waivers().match(r))]
    assert not refused
    assert {r["dtype"] for r in found if r["compared"]} >= set(DTYPES) - {"float16"}  # some of torch's parts lack float16


@pytest.mark.parametrize(
    ("bench", "item", "constructor"),
    [
        (LOSSES, "MSELoss", alternatives.Squared),
        (LOSSES, "KLDivLoss", alternatives.Divergence),
        (OPTIMIZERS, "SGD", alternatives.SGD),
        (OPTIMIZERS, "LBFGS", plain_optimizers.TwoLoops),
    ],
    ids=["Squared", "Divergence", "SGD", "TwoLoops"],
)
def test_nor_at_level_standard(bench, item: str, constructor) -> None:
    """Pairs of options and more samples."""
    found = records(bench, item, constructor, dtypes=("float32", "bfloat16"), level="standard", most=15)
    assert not [r["message"] for r in found if r["status"] == ERROR or (r["status"] == FAIL and not waivers().match(r))]


def run(suite: str, impl: type, item: str, folder, **more) -> tuple[int, Results]:
    """A whole verification of a class of ``broken`` or ``alternatives`` in this process (and its workers)."""
    request = Request(
        suite,
        "verify",
        (item,),
        dtypes=("float32",),
        level="quick",
        impl=f"{impl.__module__}:{impl.__name__}",
        reports=folder,
        **more,
    )
    return verification.verify(request, BENCHES[suite]), read(request.results_file)


@pytest.mark.parametrize(
    ("suite", "constructor", "text"),
    [
        ("lossbench", broken.NoForward, "unsupported throughout"),
        ("lossbench", broken.NoBackward, "L1Loss gradient on cpu: unsupported throughout"),
        ("optimbench", broken.NoStep, "unsupported throughout"),
    ],
)
def test_what_is_never_supported_is_no_pass(suite: str, constructor, text: str, tmp_path) -> None:
    """A class whose forward, backward or step says that it is not implemented has not been verified."""
    item = "L1Loss" if suite == "lossbench" else "Adam"
    status, results = run(suite, constructor, item, tmp_path)
    assert status == DISCREPANCY
    errors = [r for r in results.of("check") if r["status"] == ERROR]
    assert any(text in r["message"][0] for r in errors)
    assert not [r for r in results.of("check") if r["status"] == FAIL]


def test_a_crash_is_the_failure_of_one_case(tmp_path, capfd) -> None:
    """The process that a case kills is replaced; all other cases are judged; --resume does not tell of the crash twice."""
    request = Request(
        "lossbench", "verify", ("L1Loss",), dtypes=("float16",), level="quick", impl="meta.broken:AbortsOnce", reports=tmp_path
    )
    expected = {
        case.id(check)
        for case in LOSSES.cases(LOSSES.registry["L1Loss"], "quick", ("float16",), "cpu", 0)
        for check in (case.checks if isinstance(case, ContractCase) else checks_of(case))
    }
    for resume in (False, True):
        assert verification.verify(dataclasses.replace(request, resume=resume), LOSSES) == DISCREPANCY
        found = read(request.results_file)
        ids = [r["id"] for r in found.of("check")]
        assert found.ended
        assert len(ids) == len(set(ids))
        crashes = [r for r in found.of("check") if r["status"] == FAIL]
        assert len(crashes) == 1
        assert crashes[0]["check"] == "process"
        assert "killed the process" in crashes[0]["message"][0]
        assert len(expected - set(ids)) == 3  # the checks of the case that died
        assert set(ids) - expected == {crashes[0]["id"]}


NUMBER = itertools.count()


@pytest.fixture
def verify_fake(monkeypatch, tmp_path):
    """Verify items that the fake side is made of: ``verify_fake(registry, cases=..., request fields)`` -> status, results."""

    def run_it(registry, torch_has: bool = True, **fields):
        name = f"fake_side_{next(NUMBER)}"
        cases = fields.pop("cases", LOSSES.cases)
        level = fields.pop("level", "quick")
        bench = dataclasses.replace(
            LOSSES,
            name=f"{name}:BENCH",
            registry=registry,
            cases=cases,
            subject=lambda item, device, made: LOSSES.formula(item),
        )
        module = types.ModuleType(name)
        module.BENCH = bench  # type: ignore[attr-defined]
        monkeypatch.setitem(sys.modules, name, module)
        monkeypatch.setattr(verification, "torch_class", lambda path: torch.nn.L1Loss if torch_has else None)
        fields.setdefault("dtypes", ("float32",))
        request = Request("lossbench", "verify", level=level, reports=tmp_path, **fields)
        return verification.verify(request, bench), read(request.results_file)

    return run_it


def declared(value, gradient, **fields) -> dict[str, Loss]:
    """A registry of one loss of one input."""
    item = Loss("torch.nn.Fake", value, inputs={"input": reals(edges=[0.0, 1.0])}, legacy=False, **fields)
    item.reductions = {"mean": None, "sum": None, "none": None}
    item.gradient(gradient)
    return {item.name: item}


def plain(x):
    return x * 2.0


def two(x):
    return (x * 0.0 + 2.0,)


def test_the_fake_side_passes_when_it_is_right(verify_fake) -> None:
    """The item that the next tests spoil."""
    status, results = verify_fake(declared(plain, two))
    assert status == RIGHT
    assert {r["status"] for r in results.of("check")} == {PASS}


def test_no_cases_are_no_pass(verify_fake) -> None:
    """A filter that leaves nothing over, a level without cases, an empty registry's worth of work."""
    status, results = verify_fake(declared(plain, two), cases=lambda *_: ())
    assert status == DISCREPANCY
    (only,) = results.of("check")
    assert only["status"] == ERROR
    assert "nothing was compared" in only["message"][0]
    status, again = verify_fake(declared(plain, two), cases=lambda *_: (), resume=True)
    assert status == DISCREPANCY
    assert len(again.of("check")) == 1


@pytest.mark.parametrize("left", ["item", "format", "device"])
def test_what_is_left_out_among_others_is_no_pass(verify_fake, left: str) -> None:
    """An item, a format or a device without a case, beside others that are all right."""
    registry = declared(plain, two)
    registry["Other"] = dataclasses.replace(registry["Fake"], path="torch.nn.Other")
    chosen = {"item": "Other", "format": "bfloat16", "device": "meta"}[left]

    def cases(item, level, dtypes, device, seed):
        found = LOSSES.cases(item, level, dtypes, "cpu", seed)
        return [case for case in found if chosen not in (item.name, case.dtype, device) and not isinstance(case, ContractCase)]

    devices = ("cpu", "meta") if left == "device" else ("cpu",)
    status, results = verify_fake(registry, cases=cases, dtypes=("float32", "bfloat16"), devices=devices)
    assert status == DISCREPANCY
    wrong = [r for r in results.of("check") if r["status"] != PASS]
    assert wrong
    assert all(chosen in (r["item"], r["dtype"], r["device"]) for r in wrong)
    assert all(r["status"] == ERROR and "there was no case of it" in r["message"][0] for r in wrong)


def test_an_absent_class_is_no_failure(verify_fake) -> None:
    """What the installed torch lacks is recorded as absent, and counted."""
    status, results = verify_fake(declared(plain, two), torch_has=False)
    assert status == RIGHT
    assert [r["status"] for r in results.of("check")] == ["absent"]
    assert results.summary["counts"] == {"absent": 1}


def unknown(x):
    return 1.0 / (np.exp(x) - np.exp(x))


def vague(x):
    return np.exp(x) - np.exp(x)


def unknown_slope(x):
    return (unknown(x),)


def test_bounds_that_are_infinite_are_no_pass(verify_fake) -> None:
    """An oracle that expects nothing anywhere judges nothing: errors, check by check."""
    status, results = verify_fake(declared(unknown, two))
    assert status == DISCREPANCY
    ordinary = [r for r in results.of("check") if r["lane"] == "ordinary" and r["check"] == "forward"]
    assert {r["status"] for r in ordinary} == {ERROR}


def test_a_gradient_check_does_not_live_on_the_value(verify_fake) -> None:
    """Where only the gradient's bound is infinite, the gradient checks are errors and the values still pass."""
    status, results = verify_fake(declared(plain, unknown_slope))
    assert status == DISCREPANCY
    ordinary = [r for r in results.of("check") if r["lane"] == "ordinary"]
    assert {r["status"] for r in ordinary if r["check"] == "forward"} == {PASS}
    assert {r["status"] for r in ordinary if r["check"] != "forward"} == {ERROR}


def test_bounds_as_wide_as_the_answer_are_no_pass(verify_fake) -> None:
    """Numbers were compared, but no comparison could have told right from wrong."""
    status, results = verify_fake(declared(vague, lambda x: (x * 0.0,), edge_shapes=()))
    assert status == DISCREPANCY
    silent = [r for r in results.of("check") if r["status"] == ERROR]
    assert silent
    assert all("no comparison could have told right from wrong" in r["message"][0] for r in silent)


def test_an_oracle_that_fails_is_an_error(verify_fake) -> None:
    """An exception of the reference says nothing about the subject."""

    def raises(x):
        raise ZeroDivisionError("oracle")

    status, results = verify_fake(declared(raises, two), cases=lambda *a: list(LOSSES.cases(*a))[:2])
    assert status == DISCREPANCY
    assert {r["status"] for r in results.of("check")} <= {FAIL, ERROR}
    assert ERROR in {r["status"] for r in results.of("check")}
