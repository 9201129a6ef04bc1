"""Forms of a right call that every optimizer takes, and a state that none may take: clauses beside those of ``contract``.

Each is a call whose meaning does not depend on what is changed: where an option is written, what the process has for defaults,
who had the dictionaries before, and how many numbers there are.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from benchkit.contract import EVERY_PATH, Acceptance, Clause, Refusal
from benchkit.spec import Optimizer
from optimbench.cases import richest

PER_PARAMETER = "they should contain keyword arguments ... used as optimization options for this group (torch.optim)"
DEFAULTS = "defaults: default values of optimization options (used when a parameter group doesn't specify them) (Optimizer)"
STATE = "state_dict: should be an object returned from a call to state_dict (Optimizer.load_state_dict)"


def clauses(item: Optimizer) -> list[Clause]:
    """The clauses of an item, with as many of its options as possible away from their defaults."""
    chosen = {name: value for name, value in richest(item).items() if value != item.defaults[name]}
    rich = f"answer = step(make([p, q]{_keywords(chosen)}))"
    found: list[Clause] = [
        Acceptance(
            "options in a group",
            PER_PARAMETER,
            lines=f'answer = step(make([{{"params": [p, q]{_entries(chosen)}}}]))',
            sound=rich,
            paths=EVERY_PATH,
        ),
        Acceptance(
            "groups that another optimizer had",
            DEFAULTS,
            lines='groups = [{"params": [p, q]}]\nmake(groups, lr=0.5)\nanswer = step(make(groups, lr=0.125))',
            sound="answer = step(make([p, q], lr=0.125))",
        ),
        Acceptance("another default format", lines=_under("torch.set_default_dtype({})", rich), sound=rich, paths=EVERY_PATH),
        Acceptance("another default device", lines=f'with torch.device("meta"):\n    {rich}', sound=rich, paths=EVERY_PATH),
        Acceptance(
            "no parameter with elements",
            lines="answer = step(make([torch.nn.Parameter(p.detach()[:0])]))",
            different=True,
            paths=EVERY_PATH,
        ),
        Acceptance(
            "a group of no parameters",
            lines='answer = make([{"params": []}]).step(lambda: torch.zeros(()))',
            different=True,
            paths=EVERY_PATH,
        ),
        Refusal(
            "a state of smaller parameters",
            STATE,
            lines=f"""\
small = make([p, q]{_keywords(chosen)})
step(small)
large = make([torch.nn.Parameter(x.detach().repeat(32, 16)) for x in parameters()]{_keywords(chosen)})
large.load_state_dict(small.state_dict())
answer = step(large)""",
            foreign=True,
            paths=EVERY_PATH,
        ),
    ]
    if "closure" not in item.tags:
        found.append(
            Acceptance(
                "options in an added group",
                PER_PARAMETER,
                lines=f"""\
optimizer = make([p])
optimizer.add_param_group({{"params": [q]{_entries(chosen)}}})
answer = step(optimizer)[-q.numel() :]""",
                sound=f"answer = step(make([q]{_keywords(chosen)}))",
                paths=EVERY_PATH,
            )
        )
    return found


def _keywords(options: Mapping[str, Any]) -> str:
    return "".join(f", {name}={value!r}" for name, value in options.items())


def _entries(options: Mapping[str, Any]) -> str:
    return "".join(f", {name!r}: {value!r}" for name, value in options.items())


def _under(setting: str, lines: str) -> str:
    """The lines while the process has another default, which is float32 before and after."""
    begun, ended = setting.format("torch.bfloat16"), setting.format("torch.float32")
    return f"{begun}\ntry:\n    {lines}\nfinally:\n    {ended}"
