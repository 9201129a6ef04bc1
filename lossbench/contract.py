"""The error contract of the losses: the cases of every clause, and each of them as a script."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from benchkit.contract import Clause, Refusal, Typed
from benchkit.contract_check import COMPILED, Contract, ContractCase, Script
from benchkit.domains import Domain, Draw, draw_case
from benchkit.grid import generator
from benchkit.precision import PRECISIONS
from benchkit.snippets import tensor
from benchkit.spec import Loss
from lossbench.families import has_parameters
from lossbench.subject import ModuleSubject

EAGER, FUNCTIONAL = "eager", "functional"
IGNORED = "ignore_index"
WORDS = Refusal("reduction 'median'", "'none' | 'mean' | 'sum'", options={"reduction": "median"}, error="ValueError")
BATCHMEAN = Refusal("reduction 'batchmean'", WORDS.stated, options={"reduction": "batchmean"}, error="ValueError")


def clauses(item: Loss) -> list[Clause]:
    """The contract of an item, with what holds for every loss that takes a reduction."""
    if not _takes_reduction(item):
        return list(item.contract)
    return [WORDS, *([] if "batchmean" in item.reductions else [BATCHMEAN]), *item.contract]


def _takes_reduction(item: Loss) -> bool:
    return not getattr(item, "answers", None)


def cases(item: Loss, level: str, dtypes: tuple[str, ...], device: str, seed: int) -> Iterator[ContractCase]:
    """Every clause in a few combinations of path, shape, format and reduction; level thorough takes all of them.

    Clauses about foreign memory meet every shape and every reduction from level standard on: each has a kernel of its own.
    Compiled code is tried once where the clause asks for it, and at level thorough by every clause and by inductor too.
    """
    formats = tuple(d for d in ("float32", "float64", "bfloat16", "float16") if d in dtypes)
    if item.example is not None:
        formats = formats[:1] if "float32" in formats else ()
    for number, clause in enumerate(clauses(item) if formats else ()):
        shapes = clause.shapes or item.shapes
        reductions = [r for r in item.reductions if _takes_reduction(item) and "reduction" not in clause.options] or [""]
        for path in _paths(item, clause, level):
            every = level == "thorough" or (level == "standard" and getattr(clause, "binding", False) and path == EAGER)
            if path in COMPILED:  # all clauses have their right call in common
                rows = [(shapes[0], reductions[0], formats[0])]
            elif every:
                rows = list(itertools.product(shapes, reductions, formats if level == "thorough" else formats[:1]))
            else:
                count = len(shapes) if level == "standard" and path == EAGER else 1
                some = formats[:2]
                rows = [(shapes[k], reductions[(number + k) % len(reductions)], some[k % len(some)]) for k in range(count)]
            for shape, reduction, dtype in rows:
                yield ContractCase(item, clause, clause.name, path, dtype, device, reduction, shape, seed=seed)


def _paths(item: Loss, clause: Clause, level: str) -> list[str]:
    paths = [EAGER, *([FUNCTIONAL] if item.functional_name and item.example is None else [])]
    if level == "thorough":
        paths += list(COMPILED)
    elif level == "standard" and clause.compiled:
        paths += ["aot_decomposed"]
    return [p for p in paths if clause.paths is None or p in clause.paths]


def script(case: ContractCase) -> Script:
    """The case as text: the right call's inputs, that call, and the call with what the clause changes."""
    item: Loss = case.item  # type: ignore[assignment]
    clause = case.clause
    options, inputs, draw = _right(item, case)
    changed = {name: change(draw, inputs[name]) for name, change in clause.inputs.items()}
    other = {n: v(draw) if callable(v) and not isinstance(v, Domain) else v for n, v in clause.options.items()}
    reduction = {} if case.reduction in ("", "mean") else {"reduction": case.reduction}
    device = "" if case.device == "cpu" else f'.to("{case.device}")'

    def lines(values: Mapping[str, Any]) -> str:
        return "".join(f"{name} = {_text(value, case.dtype, device)}\n" for name, value in values.items())

    def call(options: Mapping[str, Any]) -> str:
        given = ", ".join(f"{n}={_text(v, case.dtype, device)}" for n, v in options.items())
        return _called(case, given, ", ".join(inputs), device)

    return Script(lines(inputs), call(options | reduction), lines(changed) + call(options | reduction | other))


def make(case: ContractCase, own: bool) -> str:
    """The class, or torch's functional form of it."""
    if case.path == FUNCTIONAL:
        return case.item.functional_name if own else ""  # type: ignore[attr-defined]
    return "{}" if own or case.path == EAGER else ""


def _called(case: ContractCase, options: str, inputs: str, device: str) -> str:
    """The call; a module with parameters of its own draws the same ones every time, in the format under test."""
    item: Loss = case.item  # type: ignore[assignment]
    if case.path == FUNCTIONAL:
        return f"answer = make({', '.join(filter(None, (inputs, options)))})\n"
    module, first = f"make({options}){device}", ""
    if has_parameters(item):
        module, first = f"{module}.to(torch.{case.dtype})", "torch.manual_seed(0)\n"
    if case.path in COMPILED:
        module = f'torch.compile({module}, backend="{COMPILED[case.path]}")'
    field = f".{item.answers['mean']}" if item.answers else ""
    return f"{first}answer = {module}({inputs}){field}\n"


def _right(item: Loss, case: ContractCase) -> tuple[dict[str, Any], dict[str, Any], Draw]:
    """The options and inputs of the right call, and the draw that they come from."""
    variant = next(iter(item.variants)) if case.clause.variant is None else case.clause.variant
    rng = generator(item.slug, variant, case.shape, case.dtype, "contract", case.seed)  # the same for all clauses
    draw = Draw(rng, "exact", case.shape, PRECISIONS[case.dtype])
    if item.example is not None:
        options, inputs = item.example(draw)
        draw.inputs = dict(inputs)
        return dict(options), dict(inputs), draw
    domains = item.variants[variant]
    # No row of the right call is ignored, so that each of them counts whatever format the target is put in.
    defaults = {n: None if n == IGNORED else v for n, v in item.defaults.items()}
    draw_case(domains, defaults, draw)
    for name, domain in domains.items():
        if domain.through == "log_softmax":
            draw.inputs[name] = draw.inputs[name] - np.logaddexp.reduce(draw.inputs[name], axis=-1, keepdims=True)
        if domain.floating:  # to numbers that are short to read, in any format
            draw.inputs[name] = np.round(8.0 * draw.inputs[name]) / 8.0
    passed = {name: draw.inputs[name] for name, domain in domains.items() if not domain.parameter}
    return {name: draw.options[name] for name in item.required}, passed, draw


def _text(value: Any, dtype: str, device: str) -> str:
    """A value as Python text; arrays as tensors, real ones in the format under test."""
    if isinstance(value, Typed):
        return f"{_text(value.array, dtype, '')}.to(torch.{value.dtype}){device}"
    if isinstance(value, (np.ndarray, np.generic)):
        return tensor(np.asarray(value), dtype if np.issubdtype(value.dtype, np.floating) else str(value.dtype)) + device
    return str(getattr(value, "expression", None) or getattr(value, "text", None) or repr(value))


def prepare(compiled: bool) -> None:
    """Load what the scripts need, so that the processes that are forked from this one have it."""
    if compiled:
        import torch

        torch.compile(torch.nn.L1Loss(), backend=COMPILED["aot_decomposed"])(torch.ones(1), torch.ones(1))
        torch.compiler.reset()


CONTRACT = Contract("lossbench", cases, script, make, ModuleSubject, prepare)
