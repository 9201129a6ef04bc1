"""The checks ``refuses`` and ``accepts``: a call that is spoiled on purpose must raise, another form of a right call must work.

Every case is a short script, the same one that a reproducer holds. It runs in a process of its own, since a bad index may crash
it. Before a call that must be refused the right call that it was made from runs, so that the refusal is known to be of what is
bad about it, and not of the format or of everything.
"""

from __future__ import annotations

import functools
import math
import textwrap
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field, replace
from typing import Any

from benchkit.contract import ACCEPTS, REFUSES, Acceptance, Clause, Refusal
from benchkit.isolation import ANSWERED, RAISED, Assistant, Outcome
from benchkit.judge import ERROR, FAIL, OTHER, PASS, UNSUPPORTED
from benchkit.spec import Item
from benchkit.verification import Bench, Record

LANE = "contract"
COMPILED = {"aot_decomposed": "aot_eager_decomp_partition", "inductor": "inductor"}  # backends of torch.compile by path

# What torch raises that is no answer to a bad call: it has lost its way, or the device has.
CRASHES = ("INTERNAL ASSERT FAILED", "illegal memory access", "misaligned address", "unspecified launch failure")

CLOSE = """
def close(answer, expected):
    bound = 64 * torch.finfo(expected.dtype).eps * expected.abs().max().clamp(min=1)
    return answer.shape == expected.shape and bool(((answer - expected).abs() <= bound).all())
"""


@dataclass(frozen=True)
class Script:
    """A case as Python text, in which ``torch`` and ``make`` are known: definitions, the right call, the call that is judged.

    Each call sets ``answer``.
    """

    setup: str
    sound: str
    tried: str


@dataclass(frozen=True)
class ContractCase:
    """One clause of an item's error contract on one path, in one format."""

    item: Item
    clause: Clause
    words: str
    path: str
    dtype: str
    device: str
    reduction: str = ""
    shape: tuple[int, ...] = ()
    way: str = ""
    seed: int = field(default=0, compare=False)
    lane = LANE
    legacy = None

    @property
    def check(self) -> str:
        return REFUSES if isinstance(self.clause, Refusal) else ACCEPTS

    @property
    def checks(self) -> tuple[str, ...]:
        return (self.check,)

    def id(self, check: str) -> str:
        """The name of the case, unique in a run and the same in every run."""
        words = self.words.replace(" ", "_")
        size = "x".join(map(str, self.shape)) or "scalar"
        parts = (self.item.slug + f"[{words}]", check, self.reduction, self.dtype, self.device, self.path, LANE, f"n{size}")
        return "-".join(filter(None, parts))


@dataclass(frozen=True)
class Judged:
    """What became of a case: its status, and why in one sentence."""

    status: str
    why: str = ""


def judged(case: ContractCase, script: Script, make: str, assistant: Assistant, own: bool) -> Judged:
    """Run a case on a class, which is ``make`` with the arguments of the path; ``own`` says that it is torch's."""
    refusal = case.clause if isinstance(case.clause, Refusal) else None
    again = "torch.compiler.reset()\n" if case.path in COMPILED else ""
    setup, right = f"make = {make}\n{script.setup}", f"{script.sound}\nexpected = answer\n"
    if refusal and (setup, right) in assistant.sure:
        right = ""
    outcome = assistant.run(CLOSE, setup, right, again + script.tried + (SAME if _compared(case) else ""))
    if outcome.kind == RAISED and outcome.part < 3:
        return _not_run(outcome, own)
    if right and outcome.kind in (ANSWERED, RAISED):
        assistant.sure.add((setup, right))
    if refusal and refusal.foreign:  # it may have written into foreign memory, whatever it says
        assistant.forget()
    return _refused(refusal, outcome, own, case) if refusal else _accepted(outcome, own)


OTHERWISE = "otherwise than in the usual form:"
# Numbers come as lists, which have one line: of the text of an exception the first one is kept.
SAME = f"""
if not close(answer, expected):
    raise AssertionError(f"{OTHERWISE} {{answer.tolist()}}, not {{expected.tolist()}}")
"""


def _compared(case: ContractCase) -> bool:
    return isinstance(case.clause, Acceptance) and not case.clause.different


def _not_run(outcome: Outcome, own: bool) -> Judged:
    """The right call fails: torch lacks the format, a class in its place the option; else the declaration is wrong."""
    sentence = f"the right call raised {outcome.error}: {outcome.text}"
    lacking = "NotImplementedError" in outcome.kinds or "not implemented for" in outcome.text
    return Judged(UNSUPPORTED if lacking or not own else ERROR, sentence)


def _refused(refusal: Refusal, outcome: Outcome, own: bool, case: ContractCase) -> Judged:
    if outcome.kind == RAISED:
        if outcome.error in ("NameError", "SyntaxError"):
            return Judged(ERROR, f"the script is wrong: {outcome.text}")
        if "unexpected keyword argument" in outcome.text:
            return Judged(UNSUPPORTED, f"the constructor does not accept it: {outcome.text}")
        if any(words in outcome.text for words in CRASHES):
            return Judged(FAIL, f"crashed: {outcome.error}: {outcome.text}")
        if own and refusal.error and refusal.error not in outcome.kinds and case.path not in COMPILED:
            return Judged(FAIL, f"raised {outcome.error}, but should raise {refusal.error}: {outcome.text}")
        return Judged(PASS)
    if outcome.kind == ANSWERED and refusal.or_nan and outcome.nan:
        return Judged(PASS)
    # What was read from foreign memory is another number each time.
    number = "" if refusal.foreign else f" {outcome.text}"
    said = f"answered{number}" if outcome.kind == ANSWERED else outcome.text
    if outcome.kind == ANSWERED and not own and not refusal.binding:
        return Judged(UNSUPPORTED, f"{said}; of a class in torch's place no refusal is asked here")
    return Judged(FAIL, f"{said}, but must raise {refusal.error or 'an exception'}")


def _accepted(outcome: Outcome, own: bool) -> Judged:
    if outcome.kind == ANSWERED:
        return Judged(PASS)
    if outcome.kind != RAISED:
        return Judged(FAIL, outcome.text)
    if outcome.error == "AssertionError" and outcome.text.startswith(OTHERWISE):
        return Judged(FAIL, f"answered {outcome.text}")
    if not own:
        return Judged(UNSUPPORTED, f"raised {outcome.error}: {outcome.text}; a class in torch's place need not take this form")
    return Judged(FAIL, f"raised {outcome.error}, but must work: {outcome.text}")


# ---- As part of a verification -----------------------------------------------------------------------------------------------

Cases = Callable[[Any, str, tuple[str, ...], str, int], Iterable[ContractCase]]


@dataclass(frozen=True)
class Contract:
    """What a side brings: the cases of an item, the script of a case, and the class of the subjects that can be asked.

    ``make(case, own)`` is the text of the class with the arguments of the case's path, ``{}`` standing for the class; empty
    where a class in torch's place has no such path. ``prepare`` loads into a process what its scripts need beside torch.
    """

    suite: str
    cases: Cases
    script: Callable[[ContractCase], Script]
    make: Callable[[ContractCase, bool], str]
    subject: type
    prepare: Callable[[bool], None]


def extended(bench: Bench, contract: Contract) -> Bench:
    """The bench with the checks of the error contract beside its own."""

    def cases(*request: Any) -> Iterator[Any]:
        yield from bench.cases(*request)
        yield from contract.cases(*request)

    def run_case(case: Any, subject: Any, done: frozenset[str]) -> Iterable[Record]:
        return run(contract, case, subject, done) if isinstance(case, ContractCase) else bench.run_case(case, subject, done)

    def reproduce(case: Any, check: str, subject: Any, impl: str | None) -> str | None:
        if isinstance(case, ContractCase):
            return reproducer(contract, case, subject, impl)
        return bench.reproduce(case, check, subject, impl)

    def prepare(case: Any) -> Callable[[Any], Iterable[Record]]:
        if isinstance(case, ContractCase):
            return lambda subject: run(contract, case, subject, frozenset())
        return bench.prepared(case)

    checks = (*bench.checks, REFUSES, ACCEPTS)
    return replace(
        bench,
        checks=checks,
        optional=frozenset((*bench.optional, REFUSES, ACCEPTS)),
        cases=cases,
        run_case=run_case,
        reproduce=reproduce,
        prepare=prepare,
        for_formulas=lambda case: not isinstance(case, ContractCase) and bench.for_formulas(case),
    )


def run(contract: Contract, case: ContractCase, subject: Any, done: frozenset[str]) -> Iterator[Record]:
    """Run a case on a subject and make its record; a formula refuses nothing and has none."""
    if not isinstance(subject, contract.subject) or case.id(case.check) in done:
        return
    found = _judge(contract, case, subject)
    right, judged_at_all = found.status == PASS, int(found.status in (PASS, FAIL))
    yield {
        "id": case.id(case.check), "item": case.item.name, "check": case.check, "device": case.device, "dtype": case.dtype,
        "path": case.path, "lane": LANE, "reduction": case.reduction, "options": {}, "variant": case.words,
        "shape": list(case.shape), "status": found.status, "compared": judged_at_all, "telling": judged_at_all,
        "ratio": (0.0 if right else float("inf")) if judged_at_all else None, "wrong": [OTHER] if found.status == FAIL else [],
        "message": [] if right else _message(case, found), "waiver": None, "repro": None,
    }  # fmt: skip


def _judge(contract: Contract, case: ContractCase, subject: Any) -> Judged:
    try:
        script = contract.script(case)
    except Exception as error:
        return Judged(ERROR, f"the script cannot be written: {type(error).__name__}: {error}")
    own = _is_torchs(subject)
    make = contract.make(case, own)
    if not make:
        return Judged(UNSUPPORTED, f"the {case.path} path is torch's own")
    assistant = _assistant(contract, subject, case.device, case.path in COMPILED)
    return judged(case, script, make.format("constructor"), assistant, own)


def _is_torchs(subject: Any) -> bool:
    return str(getattr(subject.constructor, "__module__", "")).startswith("torch.")


def _assistant(contract: Contract, subject: Any, device: str, compiled: bool) -> Assistant:
    """The process of a subject; it lives as long as the subject does."""
    name = "_compiling_assistant" if compiled else "_assistant"
    found = getattr(subject, name, None)
    if found is None:
        import torch

        names = {"torch": torch, "functools": functools, "constructor": subject.constructor}
        names |= {"F": float.fromhex, "inf": math.inf, "nan": math.nan}
        found = Assistant(names, device, functools.partial(contract.prepare, compiled))
        setattr(subject, name, found)
    return found


def _message(case: ContractCase, found: Judged) -> list[str]:
    if found.status in (UNSUPPORTED, ERROR):
        return [found.why]
    stated = [f"the documentation: {case.clause.stated}"] if case.clause.stated else []
    return [
        f"{case.item.name} differs: {case.check}, {case.words}, {case.path} path, {case.dtype} on {case.device}",
        f"case {case.id(case.check)}",
        found.why,
        *stated,
    ]


def reproducer(contract: Contract, case: ContractCase, subject: Any, impl: str | None) -> str | None:
    """The case as a script that needs torch alone, or None where it does not fail when it is run again."""
    found = _judge(contract, case, subject)
    if found.status != FAIL:
        return None
    script = contract.script(case)
    module, _, attribute = (impl or "").partition(":")
    make = contract.make(case, _is_torchs(subject)).format(f"{module}.{attribute}" if impl else case.item.path)
    text = f"make = {make}\n{script.setup}\n"
    tried = f"try:\n{textwrap.indent(script.tried.strip(), '    ')}\n"
    if isinstance(case.clause, Refusal):
        told = "0 if answer.isnan().any() else 1" if case.clause.or_nan else "1"
        text += tried + REFUSED.format(error=case.clause.error or "Exception", status=told)
    elif _compared(case):
        text += f"{CLOSE}\n\n{script.sound}\nexpected = answer\n{tried}{TAKEN_ALIKE}"
    else:
        text += tried + TAKEN
    wanted = ["functools"] if "functools." in text else []
    imports = "".join(f"import {name}\n" for name in [*wanted, "sys", "warnings"]) + "\nimport torch\n"
    imports += f"import {module}\n" if impl else ""
    imports += "\nF = float.fromhex  # numbers are written as hex floats\n" if "F(" in text else ""
    imports += "\ninf, nan = float('inf'), float('nan')\n" if "inf" in text or "nan" in text else ""
    title = f"{case.item.name}: {found.why}\n\nCase {case.id(case.check)}."
    return HEAD.format(title=title, suite=contract.suite, imports=imports) + text


HEAD = '''"""{title}

Made by {suite}. Exit status 1 while the difference is there, 0 once it is gone.
"""

{imports}
warnings.simplefilter("ignore")  # a warning is no refusal
'''
REFUSED = """\
except {error} as error:
    print(f"torch {{torch.__version__}}: refused, as it should be: {{type(error).__name__}}: {{error}}")
    sys.exit(0)
print(f"torch {{torch.__version__}}: answered {{answer}}, but must raise {error}")
sys.exit({status})
"""
TAKEN = """\
except Exception as error:
    print(f"torch {torch.__version__}: raised {type(error).__name__}, but must work: {error}")
    sys.exit(1)
print(f"torch {torch.__version__}: works, as it should: {answer}")
"""
TAKEN_ALIKE = """\
except Exception as error:
    print(f"torch {torch.__version__}: raised {type(error).__name__}, but must work: {error}")
    sys.exit(1)
print(f"torch {torch.__version__}: answered {answer}, and should answer {expected}")
sys.exit(0 if close(answer, expected) else 1)
"""
