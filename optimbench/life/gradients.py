"""Gradients that are set to zero, stay the same for thousands of steps, are complex or sparse, or are many."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from benchkit.grid import combinations
from benchkit.spec import Optimizer
from optimbench.cases import Array
from optimbench.found import Found
from optimbench.life.cases import PAIRS, ROWS, LifeCase, scenario
from optimbench.life.options import switches
from optimbench.life.script import Run, Script
from optimbench.lockstep import COUNTER

SPARSE_GRADIENTS = frozenset({"sparse", "sparse_gradients"})


@scenario(
    "zero_grad leaves no gradients, and a step without any changes nothing; or it leaves zeros, by which a step goes on.",
    without=frozenset({"closure", "sparse"}),
)
def check_zero_grad(case: LifeCase, script: Script) -> list[Found]:
    drawn = case.draw()
    run = script.start(drawn.groups, (case.options, case.others))
    run.step(drawn.gradients[0])
    script.do(f"{run.name}.zero_grad(set_to_none=False)")
    for name in run.parameters:
        zero = f"{name}.grad is not None and bool(({name}.grad == 0.0).all())"
        script.expect(script[zero], f"{name} has another gradient than zeros after zero_grad(set_to_none=False)", zero)
    run.step([np.zeros_like(p) for p in drawn.parameters], given=True)
    run.give(drawn.gradients[1])
    script.do(f"{run.name}.zero_grad()")
    for name in run.parameters:
        script.expect(script[f"{name}.grad is None"], f"{name} has a gradient after zero_grad()", f"{name}.grad is None")
    before = run.keep()
    script.do(f"{run.name}.step()")
    run.unchanged(before, "changed in a step without gradients")
    run.step(drawn.gradients[2])
    return script.judge()


LOOKED_AT = (1, 2, 255, 256, 257, 511, 1023, 1024, 2047, 2048, 2049, 3000)  # around the integers that half types still count to
# Steps: past 256 the counter of a bfloat16 would stick, past 2048 that of a float16; 0.9**1000 underflows in float32.
LONG = {"bfloat16": 300, "float32": 1100, "float16": 2060, "float64": 1100}


def _sizes(item: Optimizer) -> tuple[str, ...]:
    return ("constant", "zero")


def _long_sets(item: Optimizer, few: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """The defaults, and the sets in which one option adds to the state."""
    adding = switches(item)
    return [few[0], *(o for o in few if any(o[n] == item.options[n][1] for n in adding))]


@scenario(
    "Thousands of steps by the same gradient, or by none but zeros, are each a step like others, counted, and stay numbers.",
    without=frozenset({"closure", "sparse"}), variants=_sizes, sets=_long_sets, long=True,
)  # fmt: skip
def check_long_runs(case: LifeCase, script: Script) -> list[Found]:
    """Most steps are made in one go; around those at which a counter may stick the oracle looks."""
    rng, start = case.rng, case.draw().groups[1]
    slopes = [case.precision.round(rng.choice([-1.0, 1.0], p.shape) * rng.uniform(0.25, 2.0, p.shape)) for p in start]
    run = script.start([start], (case.options,))
    end = {"quick": min(LONG.values()), "thorough": LOOKED_AT[-1]}.get(case.level, LONG[case.dtype])
    run.step(slopes)
    if case.variant == "zero":
        slopes = [np.zeros_like(g) for g in slopes]
    made, script.gaps = 1, True
    for place in (*(n for n in LOOKED_AT[1:] if n < end), end):
        if place - made > 1:
            run.give(slopes)
            script.do(f"for _ in range({place - made - 1}):\n    {run.name}.step()")
        run.step(slopes)
        made = place
        _count(run, made)
    _stay_numbers(case, script, run, start, [slopes] * made if case.variant == "constant" else [])
    return script.judge(("lockstep", "at_rest"))


def _switched_sets(item: Optimizer, few: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """Every option on its own, and beside every option that adds to the state."""
    chosen = list(few)
    for switch in switches(item):
        for options in few:
            both = {**options, switch: item.options[switch][1]}
            if both not in chosen and (item.valid is None or item.valid(both)):
                chosen.append(both)
    return chosen


@scenario(
    "Under a gradient that does not change every average comes to rest, and every parameter stays a number.",
    without=frozenset({"closure", "sparse"}), sets=_switched_sets, formats=("float32",),
)  # fmt: skip
def check_constant_gradients(case: LifeCase, script: Script) -> list[Found]:
    """Steps until an average of half-life one has only its rounding left."""
    rng, start = case.rng, case.draw().groups[1]
    slopes = [case.precision.round(rng.choice([-1.0, 1.0], p.shape) * rng.uniform(0.25, 2.0, p.shape)) for p in start]
    run = script.start([start], (case.options,))
    run.step(slopes)
    script.gaps = True
    for steps in (5, 13, 25):
        run.give(slopes)
        script.do(f"for _ in range({steps}):\n    {run.name}.step()")
        run.step(slopes)
    _stay_numbers(case, script, run, start, [])
    return script.judge()


def _count(run: Run, made: int) -> None:
    for name, state in zip(run.parameters, run.look()[1], strict=True):
        if COUNTER in state and state[COUNTER].value is not None:
            text = f"{run.name}.state[{name}][{COUNTER!r}]"
            count = float(np.asarray(state[COUNTER].value))
            run.script.expect(count == made, f"the step counter is {count} after {made} steps", f"float({text}) == {made}")


def _stay_numbers(case: LifeCase, script: Script, run: Run, start: Sequence[Array], steps: Sequence[Sequence[Array]]) -> None:
    """Finite gradients of ordinary size make finite parameters, whatever rounding does to what is under a root; but for those
    that the formula itself takes beyond the format in these steps, as relative steps do."""
    if not case.options.get("eps", 1.0):
        return
    for number, (name, value) in enumerate(zip(run.parameters, run.look()[0], strict=True)):
        test = f"bool(torch.isfinite({name}).all())"
        held = bool(np.isfinite(value).all()) or _grows(case, start[number], [row[number] for row in steps])
        script.expect(held, f"{name} holds {value.ravel()[~np.isfinite(value.ravel())][:1]} after ordinary gradients", test)


def _grows(case: LifeCase, p: Array, gradients: Sequence[Array]) -> bool:
    """Whether the formula leads from p to the end of the format's range, or near it, in these steps."""
    options = case.item.given(case.options, 2.0 * case.precision.unit)
    state = case.item.initial_function(p, **options) if case.item.initial_function else {}
    for gradient in gradients:
        p, state = case.item.function(p, gradient, state, **options)
        if not float(np.abs(p).max()) < case.precision.largest / 16.0:
            return True
    return False


COMPLEX_WORDS = {"is_complex", "view_as_real"}


def speaks_of(constructor: Any, words: set[str]) -> bool:
    """Whether the code of a class, or of one that it is derived from, or of their modules, uses one of these names."""
    import sys

    for one in getattr(constructor, "__mro__", (constructor,)):
        module = sys.modules.get(getattr(one, "__module__", ""))
        if module is None or module.__name__ in ("torch.optim.optimizer", "builtins"):
            continue
        for value in (*vars(one).values(), *vars(module).values()):
            code = getattr(getattr(value, "__wrapped__", value), "__code__", None)
            if code is not None and words & set(code.co_names):
                return True
    return False


@scenario(
    "A complex parameter is updated as its real and imaginary parts are, each as a real parameter.",
    needs=frozenset({"elementwise"}), without=frozenset({"closure", "sparse"}), shapes=PAIRS, formats=("float32", "float64"),
)  # fmt: skip
def check_complex_parameters(case: LifeCase, script: Script) -> list[Found]:
    if not script.subject.kin and not speaks_of(script.subject.constructor, COMPLEX_WORDS):
        with script.optional():
            raise TypeError("the class does not speak of complex numbers")
    drawn = case.draw()
    with script.optional("complex", "Complex"):
        run = script.start(drawn.groups, (case.options, case.others), complex_=True)
        for gradients in drawn.gradients[:5]:
            run.step(gradients)
    return script.judge()


def _plainly(item: Optimizer, few: Sequence[Mapping[str, Any]]) -> Sequence[Mapping[str, Any]]:
    """Every option on its own, in combinations that the constructor takes."""
    return combinations(item.options, {}, "quick", item.valid)


def sparse_rows(shape: tuple[int, ...], rng: np.random.Generator, step: int) -> tuple[Array, Array]:
    """Row numbers and rows of a sparse gradient: in order, all of them, none at all, some twice and out of order.

    The numbers are positive: a sum that is held as its terms has rounding errors of the size of these, and no row comes more
    than twice, since whoever adds them one by one to the parameter rounds each time.
    """
    rows = shape[0]
    twice = rng.permutation(np.repeat(np.arange(rows), 2))
    kinds = (np.flatnonzero(rng.random(rows) < 0.5), np.arange(rows), np.zeros(0, int), twice[: rows + 2])
    index = kinds[step % 4]
    return index, rng.integers(1, 9, (index.size, *shape[1:])) / 8.0


@scenario(
    "A sparse gradient, with some rows twice or with no rows at all, makes the step of the dense gradient that it stands for.",
    needs=SPARSE_GRADIENTS, shapes=ROWS, sets=_plainly,
)  # fmt: skip
def check_sparse_gradients(case: LifeCase, script: Script) -> list[Found]:
    """A parameter with sparse gradients before one with dense ones, where the optimizer takes both, in each of two groups."""
    rng, drawn = case.rng, case.draw()
    run = script.start(drawn.groups, (case.options, case.options))
    run.sparse = True
    only = "sparse" in case.item.tags
    for step in range(5):
        lines, gradients, touched = [], [], []
        for number, (name, start) in enumerate(zip(run.parameters, drawn.parameters, strict=True)):
            if number % 2 and not only:
                gradients.append(np.asarray(drawn.gradients[step][number]))
                touched.append(np.ones(start.shape, dtype=bool))
                lines.append(f"{name}.grad = {run.number(gradients[-1], case.dtype)}")
                continue
            index, rows = sparse_rows(start.shape, rng, step + number // 2)
            dense, mask = np.zeros(start.shape), np.zeros(start.shape, dtype=bool)
            np.add.at(dense, index, rows)
            mask[index] = True
            gradients.append(dense)
            touched.append(mask)
            listed = f"torch.tensor([{index.tolist()}], dtype=torch.int64)"
            value = f"torch.sparse_coo_tensor({listed}, {run.number(rows, case.dtype)}, {start.shape}, check_invariants=True)"
            lines.append(f"{name}.grad = {value}")
        _sparse_step(script, run, lines, gradients, touched)
    return script.judge()


def _sparse_step(script: Script, run: Run, lines: list[str], gradients: list[Array], touched: Sequence[Array]) -> None:
    """Write gradients, some of them sparse, and the step by them, and record it; Unsupported where it declines them."""
    script.do("\n".join(lines))
    before = run.look()
    with script.optional("sparse", "Sparse"):
        script.do(f"{run.name}.step()")
    run.record(gradients, before, run.look(), touched)


PART = 6  # elements of a parameter in the midst of three times as many


@scenario(
    "A sparse gradient of one element, or of two, moves these alone, wherever in memory its parameter begins.",
    needs=SPARSE_GRADIENTS, shapes=(((PART,),), ((PART,),)), sets=_plainly,
)  # fmt: skip
def check_sparse_elements_of_a_part(case: LifeCase, script: Script) -> list[Found]:
    """Parameters that are the middle of a longer vector, so long that what goes astray stays in it."""
    run, rng = Run(script, "optimizer", "p"), case.rng
    run.sparse, run.groups = True, [["p0"], ["p1"]]
    for name, (start,) in zip(run.parameters, case.draw().groups, strict=True):
        memory = run.number(np.pad(start, PART), case.dtype)
        script.do(f"memory_{name} = {memory}\n{name} = torch.nn.Parameter(memory_{name}[{PART}:{2 * PART}])")
    run.construct((case.options, case.options))
    for count in (1, 2, 1):
        lines, gradients = [], []
        for name in run.parameters:
            index = np.sort(rng.choice(PART, count, replace=False))
            gradients.append(np.zeros(PART))
            gradients[-1][index] = rng.integers(1, 9, count) / 8.0
            elements = f"torch.tensor([{index.tolist()}]), {run.number(gradients[-1][index], case.dtype)}, ({PART},)"
            lines.append(f"{name}.grad = torch.sparse_coo_tensor({elements}, check_invariants=True).coalesce()")
        _sparse_step(script, run, lines, gradients, [gradient != 0.0 for gradient in gradients])
    for name in run.parameters:
        kept = f"not (memory_{name}[:{PART}].any() or memory_{name}[{2 * PART}:].any())"
        script.expect(bool(script[kept]), f"memory around {name} was written to", kept, 2 * PART)
    return script.judge()


def _masked(item: Optimizer) -> Sequence[str]:
    return (item.masks,) if item.masks else ()


@scenario(
    "A masked version of another algorithm makes its very step where the sparse gradient stores every row.",
    without=frozenset(), variants=_masked, shapes=ROWS, sets=_plainly, formats=("float64", "float32"),
)  # fmt: skip
def check_masked_version(case: LifeCase, script: Script) -> list[Found]:
    """The oracle is the formula of the other item, with the options that both have."""
    from reference import OPTIMIZERS

    drawn, whole = case.draw(), OPTIMIZERS[case.variant]
    run = script.start(drawn.groups, (case.options, case.options))
    options = {name: case.options.get(name, value) for name, value in whole.defaults.items()}
    run.options = [options, dict(options)]
    run.sparse = True
    for gradients in drawn.gradients[:4]:
        dense = [np.where(np.asarray(g) == 0.0, 0.5, np.asarray(g)) for g in gradients]
        script.do("\n".join(f"{p}.grad = {run.number(g, case.dtype)}.to_sparse(1)" for p, g in zip(run.parameters, dense)))
        before = run.look()
        script.do(f"{run.name}.step()")
        run.record(dense, before, run.look())
    return script.judge(item=whole)


COUNT = 70_001  # beyond the grain at which kernels are shared out among threads, and no multiple of a SIMD block
EVERY = 7  # element is judged, and all of them near the ends and near multiples of CHUNK
CHUNK = 2048


def _threads(item: Optimizer) -> tuple[str, ...]:
    return ("2_threads", "3_threads")


@scenario(
    "A parameter of many elements is updated in all of them, by however many threads.",
    without=frozenset({"closure", "sparse", "whole"}), variants=_threads, sets=lambda item, few: few[:1],
    formats=("float32", "bfloat16"), shapes=(((1,),), ((1,),)), long=True,
)  # fmt: skip
def check_many_elements(case: LifeCase, script: Script) -> list[Found]:
    """One parameter, two steps."""
    run, counted = Run(script, "optimizer", "p"), np.arange(COUNT)
    threads = int(case.variant[0])
    near = np.abs(counted[:, None] - [0, COUNT - 1, *(COUNT * i // threads for i in range(1, threads))]).min(axis=1) < 64
    run.index = np.flatnonzero(near | (counted % EVERY == 0) | ((counted + 8) % CHUNK < 16))
    run.groups, before = [["p0"]], script["torch.get_num_threads()"]
    numbers = f"torch.arange({COUNT}) * {{}} % 101 - 50"
    script.do(f"p0 = torch.nn.Parameter((({numbers.format(37)}) / 16.0).to(torch.{case.dtype}))")
    run.construct((case.options,))
    call = f"torch.set_num_threads({threads})\n{run.name}.step()\ntorch.set_num_threads({before})"
    for factor in (29, 53):
        script.do(f"p0.grad = (({numbers.format(factor)}) / 16.0).to(torch.{case.dtype})")
        run.step([((counted * factor % 101 - 50) / 16.0)[run.index]], call, given=True)
    return script.judge()
