"""Play a scenario, make a record of it, and write the reproducer of one that fails."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any, cast

from benchkit.judge import FAIL, LIMIT, OracleError, failure
from benchkit.snippets import HEAD, RAN_THROUGH, constructor, verdict
from optimbench.checks import Outcome, Record, make_record, worst_of
from optimbench.found import Found
from optimbench.life.cases import SCENARIOS, LifeCase
from optimbench.life.script import CLASS, Script
from optimbench.subject import Subject, TorchSubject, Unsupported, described


def run_case(case: LifeCase, subject: Subject, done: frozenset[str] | set[str] = frozenset()) -> Iterator[Record]:
    """Play a case, unless its record is ``done``."""
    if case.id(case.scenario) not in done:
        outcome, _ = play(case, subject)
        yield make_record(case, case.scenario, outcome)


def play(case: LifeCase, subject: Subject) -> tuple[Outcome, Script | None]:
    """What a play found, and its text."""
    if not isinstance(subject, TorchSubject):
        return Outcome(unsupported="a formula is not constructed and has no life"), None
    script = Script(case, subject)
    try:
        script.case = fitted(case, subject)
        found = SCENARIOS[case.scenario].check(script.case, script)
    except Unsupported as reason:
        return Outcome(unsupported=str(reason)), script
    except OracleError as error:
        return Outcome(error=str(error)), script
    except (Exception, SystemExit) as error:
        found = [*script.found, Found(failure(described(error)), "run", lines=len(script.lines))]
    return Outcome([f if f.check == case.scenario else _renamed(f, case.scenario) for f in found]), script


def fitted(case: LifeCase, subject: TorchSubject) -> LifeCase:
    """The case with what a class does not take, an option or its value, at the default in both groups: its life is that of the
    rest.

    Unsupported where nothing would be left of what the case is about.
    """
    fit = cast(LifeCase, subject.fitted(case))
    if subject.own:
        return fit
    item = case.item
    missing = [n for n in case.settings if n not in subject.accepted or subject.refuses(n, case.options[n])]
    options = {n: item.defaults[n] if n in missing else v for n, v in case.options.items()}
    about = case.variant if case.variant in item.options else ""
    if about and about not in subject.accepted:
        raise Unsupported(f"the constructor does not accept {about}")
    if missing and (all(v == item.defaults[n] for n, v in options.items()) or not (item.valid is None or item.valid(options))):
        raise Unsupported(f"the constructor does not accept {', '.join(missing)}")
    return replace(fit, options=options)


def _renamed(found: Found, check: str) -> Found:
    found.check = check
    return found


def reproducer(case: LifeCase, check: str, subject: Subject, impl: str | None = None) -> str | None:
    """The text of the play up to where it fails, and a look at what is wrong; None where it does not fail again."""
    outcome, script = play(case, subject)
    if script is None or not outcome.found:
        return None
    worst = worst_of(outcome.found)
    if worst.comparison.status != FAIL:
        return None
    title = f"{case.item.name}: {worst.sentence()}\n\n{SCENARIOS[case.scenario].sentence}\nCase {case.id(check)}."
    imports, name = constructor(case.item.path, impl)
    text = HEAD.format(title=title, suite="optimbench") + imports + f"{CLASS} = {name}\n"
    text += "\n".join(script.lines[: worst.lines]) + "\n"
    return text + ending(worst)


def ending(found: Found) -> str:
    """The end of a script: what it looks at and its exit status."""
    c = found.comparison
    if c.why.startswith("raised"):
        return RAN_THROUGH
    if c.why or not found.expression:
        test = found.expression or "False"
        return f"\nprint({found.sentence()!r})\nsys.exit(0 if {test} else 1)\n"
    return verdict(found.name, found.expression, c.expected, LIMIT * c.bound + c.spread)


def checks() -> dict[str, Any]:
    """What each scenario says, by name."""
    return {name: one.sentence for name, one in SCENARIOS.items()}
