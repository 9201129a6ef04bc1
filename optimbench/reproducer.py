"""A failing run as a script that needs torch alone: the fewest parameters, elements and steps that still fail."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import numpy as np

from benchkit.judge import FAIL, LIMIT
from benchkit.precision import FLOAT32, Precision
from benchkit.snippets import HEAD, RAN_THROUGH, constructor, element, tensor, verdict
from optimbench import closures
from optimbench.cases import Case, Drawn
from optimbench.checks import outcomes, worst_of
from optimbench.found import Found
from optimbench.layouts import LAYOUTS, SOURCE
from optimbench.lockstep import COUNTER
from optimbench.paths import PATHS, needed
from optimbench.subject import Subject


def reproducer(case: Case, check: str, subject: Subject, impl: str | None = None) -> str | None:
    """The text of the script, or None where the run does not fail when it is made again."""
    case = subject.fitted(case)
    drawn = case.draw()
    found = fails(case, check, subject, drawn)
    if found is None:
        return None
    if "closure" in case.item.tags:
        return closure_script(case, check, subject, found, impl)
    drawn, found = shrink(case, check, subject, drawn, found)
    return script(case, check, subject, drawn, found, impl)


def fails(case: Case, check: str, subject: Subject, drawn: Drawn) -> Found | None:
    """The worst difference of one check of a run on these numbers, if it is an error."""
    try:
        worst = worst_of([f for f in outcomes(case, subject, drawn) if f.check == check])
    except Exception:  # fewer parameters may be none that the subject takes; then they are no reproducer
        return None
    return worst if worst.comparison.status == FAIL else None


def shrink(case: Case, check: str, subject: Subject, drawn: Drawn, found: Found) -> tuple[Drawn, Found]:
    """Drop steps after the first wrong one, then parameters, then elements, as long as the run still fails alike."""
    if found.segment is not None:
        found_at = found.segment.step + 1
        drawn = replace(drawn, gradients=drawn.gradients[:found_at], touched=drawn.touched[:found_at])
        found = fails(case, check, subject, drawn) or found
    shrinking = True
    while shrinking:
        shrinking = False
        for smaller in _smaller(drawn):
            again = fails(case, check, subject, smaller)
            if again is not None and _alike(again.comparison.why, found.comparison.why):
                drawn, found, shrinking = smaller, again, True
                break
    return drawn, found


def _alike(why: str, other: str) -> bool:
    """Whether two differences are of one kind: numbers, the same exception, or something else in words."""
    if why.startswith("raised") or other.startswith("raised"):
        return why.partition(":")[0] == other.partition(":")[0]
    return bool(why) == bool(other)


def _smaller(drawn: Drawn) -> Iterator[Drawn]:
    """Without each of the parameters; without the first steps; with one element of each parameter only."""
    count = len(drawn.parameters)
    if count > 1:
        for without in range(count):
            yield _select(drawn, [i for i in range(count) if i != without])
    steps = len(drawn.gradients)
    if steps > 1:
        for part in (slice(steps // 2, None), slice(1, None)):
            yield replace(drawn, gradients=drawn.gradients[part], touched=drawn.touched[part])
    if any(p.size > 1 for p in drawn.parameters):
        for index in (0, -1):
            yield Drawn(
                [[_one(p, index) for p in group] for group in drawn.groups],
                [[None if g is None else _one(g, index) for g in row] for row in drawn.gradients],
                [[_one(t, index) for t in row] for row in drawn.touched],
            )


def _one(array: Any, index: int) -> Any:
    return array.reshape(-1)[index:].reshape(-1)[:1] if array.size else array


def _select(drawn: Drawn, kept: list[int]) -> Drawn:
    number_of = iter(range(len(drawn.parameters)))
    groups = [[p for p in group if next(number_of) in kept] for group in drawn.groups]
    return Drawn(groups, [[row[i] for i in kept] for row in drawn.gradients], [[row[i] for i in kept] for row in drawn.touched])


def arguments(case: Case, subject: Subject) -> str:
    """The constructor's arguments besides the parameters, as text."""
    given = {name: repr(value) for name, value in subject.arguments(case).items()}
    given |= {name: in_tensors(case.options[name], precision) for name, precision in subject.held(case).items()}
    return "".join(f", {name}={value}" for name, value in given.items())


def in_tensors(value: Any, precision: Precision) -> str:
    """A number held in a tensor, or a tuple of such, as an expression."""
    if isinstance(value, tuple):
        return f"({', '.join(in_tensors(v, precision) for v in value)})"
    return f"torch.tensor({value!r}, dtype=torch.{precision.name})"


def group_options(case: Case, subject: Subject) -> str:
    """The entries of the second group besides its parameters, as text."""
    given = {n: repr(v) for n, v in case.others.items() if v != case.item.defaults[n] or n in case.settings}
    given |= {name: in_tensors(case.others[name], precision) for name, precision in subject.held(case).items()}
    return "".join(f", {name!r}: {value}" for name, value in given.items())


def script(case: Case, check: str, subject: Subject, drawn: Drawn, found: Found, impl: str | None) -> str:
    """Write the script: parameters, groups, gradients of every step, and the worst element against what it should be."""
    sentence = found.sentence()
    text = HEAD.format(title=f"{case.item.name}: {sentence}\n\nCase {case.id(check)}.", suite="optimbench")
    imports, name = constructor(case.item.path, impl)
    of_parameter, of_gradient = LAYOUTS[case.layout]
    text += imports + (f"\n{SOURCE}\n\n" if case.layout else "")
    device = "" if case.device == "cpu" else f'.to("{case.device}")'
    numbers = range(len(drawn.parameters))
    for i, p in enumerate(drawn.parameters):
        value = f"{tensor(p, case.dtype)}{device}"
        if of_parameter:
            text += f"start{i} = place({value}, {of_parameter!r})\n"
        text += f"p{i} = torch.nn.Parameter({f'start{i}' if of_parameter else value})\n"
        if "differentiable" in needed(case.path):
            text += f"p{i} = p{i}.clone()\np{i}.retain_grad()\n"
    names = iter(f"p{i}" for i in numbers)
    groups = [", ".join(next(names) for _ in group) for group in drawn.groups]
    others = group_options(case, subject)
    listed = [f'{{"params": [{g}]{others if i else ""}}}' for i, g in enumerate(groups) if g]
    text += f"optimizer = {name}([{', '.join(listed)}]{arguments(case, subject)})\n"
    backend = PATHS[case.path].backend
    text += f'step = torch.compile(optimizer.step, backend="{backend}")\n' if backend else ""
    for step, row in enumerate(drawn.gradients):
        text += f"\n# step {step + 1}\n"
        for i, g in enumerate(row):
            value = f"{_gradient(case, g, drawn.touched[step][i])}{device if g is not None else ''}"
            laid = of_gradient and g is not None and "sparse" not in case.item.tags
            if case.refills and step and g is not None and drawn.gradients[step - 1][i] is not None:
                text += f"p{i}.grad.copy_({value})\n"
            else:
                text += f"p{i}.grad = {f'place({value}, {of_gradient!r})' if laid else value}\n"
            if check == "gradient_kept" and g is not None:
                text += f"before{i} = p{i}.grad.clone()\n"
        text += "step()\n" if backend else "optimizer.step()\n"
    if found.comparison.why.startswith("raised"):
        return text + RAN_THROUGH
    if check == "state_format" and found.segment is not None:
        coarsest = FLOAT32.unit if found.name == COUNTER else case.precision.unit
        text += f"\nheld = optimizer.state[p{found.segment.parameter}][{found.name!r}].dtype\n"
        return text + f"print({sentence!r}, held)\nsys.exit(0 if torch.finfo(held).eps <= {2.0 * coarsest} else 1)\n"
    if found.segment is None or found.comparison.why:
        text += f"\nprint({sentence!r})\n"
        if check == "memory_kept":
            return text + _surroundings(case, drawn)
        kept = [f"torch.equal(p{i}.grad, before{i})" for i, g in enumerate(drawn.gradients[-1]) if g is not None]
        if check == "gradient_kept" and kept:
            return text + f"sys.exit(0 if {' and '.join(kept)} else 1)\n"
        return text + "sys.exit(1)\n"
    if found.name == "parameter":
        got = f"p{found.segment.parameter}.detach()"
    else:
        got = f"optimizer.state[p{found.segment.parameter}][{found.name!r}]"
        scalar = found.segment.state_after[found.name].value
        if scalar is not None and np.ndim(scalar) == 0:
            return text + verdict(found.name, got, found.comparison.expected, LIMIT * found.comparison.bound)
    c = found.comparison
    return text + verdict(found.name, element(got, found.element), c.expected, LIMIT * c.bound + c.spread)


AROUND = """

def around(tensor):
    length = tensor.untyped_storage().nbytes() // tensor.element_size()
    outside = torch.ones(length, dtype=torch.bool)
    outside.as_strided(tensor.shape, tensor.stride(), tensor.storage_offset()).fill_(False)
    return tensor.detach().as_strided((length,), (1,), 0)[outside]


tensors = [t for t in TENSORS if t is not None]
sys.exit(0 if all((around(t) == 7.0).all() for t in tensors) else 1)
"""


def _surroundings(case: Case, drawn: Drawn) -> str:
    """The end of a script that looks at what lies around every parameter, or around every gradient of the last step."""
    of_parameter, of_gradient = LAYOUTS[case.layout]
    numbers = range(len(drawn.parameters))
    tensors = [f"start{i}" for i in numbers if of_parameter] + [f"p{i}.grad" for i in numbers if of_gradient]
    return AROUND.replace("TENSORS", f"[{', '.join(tensors)}]")


def _gradient(case: Case, g: Any, touched: Any) -> str:
    if g is None:
        return "None"
    dense = tensor(g, case.dtype)
    return f"{dense}.to_sparse(1)" if "sparse" in case.item.tags else dense


PROBLEM_TEXT = {
    "quadratic": "ax = a @ x\n    loss, slope = 0.5 * (x * ax).sum() - (b * x).sum(), ax - b",
    "quartic": "ax = a @ x\n    loss, slope = 0.25 * (x**4).sum() + 0.5 * (x * ax).sum() - (b * x).sum(), x**3 + ax - b",
    "partial": (
        "y = x * torch.tensor([1, 1, 1, 1, 1, 0, 0, 0])\n    ay = a @ y\n"
        "    loss, slope = 0.5 * (y * ay).sum() - (b * y).sum(), ay - b"
    ),
    "shelf": (
        "q = 1.0 + 4.0 * x * x\n    loss = (4.0 * x * x / q + 0.03125 * x * x).sum()\n"
        "    slope = 8.0 * x / (q * q) + 0.0625 * x"
    ),
    "dents": ("q = 1.0 + x * x\n    loss = (0.125 * x * x - b / q).sum()\n    slope = 0.25 * x + 2.0 * b * x / (q * q)"),
    "table": (
        "slope = torch.zeros_like(x)\n    loss, slope[0] = answers[min(sum(map(len, points)) - 1, len(answers) - 1)]\n"
        "    loss = torch.tensor(loss, dtype=x.dtype)"
    ),
    "bowl": "loss, slope = 0.5 * (x * x).sum(), x * 1.0",
    "rosenbrock": (
        "u, v = x[:4], x[4:]\n    w = v - u * u\n    loss = (2.0 * w * w + 0.25 * (1.0 - u) ** 2).sum()\n"
        "    slope = torch.cat([-8.0 * u * w - 0.5 * (1.0 - u), 4.0 * w])"
    ),
}


CLOSURE = """
parameters = [torch.nn.Parameter(START) for part, shape in zip(start.split(SIZES), SHAPES)]
optimizer = CONSTRUCTOR(parameters ARGUMENTS)
points, after, returned, states = [], [], [], []


def flat():
    return torch.cat([p.detach().reshape(-1) for p in parameters])


def closure():
    x = flat()
    points[-1].append(x)
    PROBLEM
    for p, part in zip(parametersHEARD, slope.split(SIZES)):
        p.grad = GRADIENT
    print([value.hex() for value in x.tolist()], float(loss).hex())
    return loss


for step in range(STEPS):
    print("step", step + 1)
    points.append([])
    returned.append(optimizer.step(closure))
    after.append(flat())
    states.append(copy.deepcopy(optimizer.state[parameters[0]]))
"""


def closure_script(case: Case, check: str, subject: Subject, found: Found, impl: str | None) -> str:
    """The run of an optimizer that takes a closure, with its problem; it prints every evaluation."""
    problem, a, b, x = closures.start(case)
    sentence = found.sentence()
    text = HEAD.format(title=f"{case.item.name}: {sentence}\n\nCase {case.id(check)}.", suite="optimbench")
    imports, name = constructor(case.item.path, impl)
    text = text.replace("import sys", "import copy\nimport sys") + imports + (f"\n{SOURCE}\n\n" if case.layout else "")
    data = (("start", x),) if problem.answers else (("a", a), ("b", b), ("start", x))
    text += "".join(f"{n} = {tensor(v, case.dtype)}\n" for n, v in data)
    text += f"answers = {list(problem.answers)}\n" if problem.answers else ""
    of_parameter, of_gradient = (f", {how!r})" if how else "" for how in LAYOUTS[case.layout])
    sizes = [math.prod(shape) for shape in closures.SHAPES]
    body = CLOSURE
    for word, meant in (
        ("START)", f"{'place(' if of_parameter else ''}part.reshape(shape).clone(){of_parameter})"),
        ("GRADIENT", f"{'place(' if of_gradient else ''}part.reshape(p.shape).clone(){of_gradient}"),
        ("SIZES", repr(sizes)), ("SHAPES", repr(closures.SHAPES)), ("CONSTRUCTOR", name),
        ("STEPS", str(closures.steps_of(case))),
        ("HEARD", f"[:-{problem.silent}]" if problem.silent else ""),
        (" ARGUMENTS", arguments(case, subject)), ("PROBLEM", PROBLEM_TEXT["table" if problem.answers else problem.name]),
    ):  # fmt: skip
        body = body.replace(word, meant)
    text += body
    if check == "memory_kept":
        tensors = [*(["*parameters"] if of_parameter else []), *(["*(p.grad for p in parameters)"] if of_gradient else [])]
        return text + AROUND.replace("TENSORS", f"[{', '.join(tensors)}]")
    c = found.comparison
    if c.why.startswith("raised"):
        return text + RAN_THROUGH
    if c.why or not found.expression:
        return text + f"\nprint({sentence!r})\nsys.exit({f'0 if {found.expression} else 1' if found.expression else 1})\n"
    return text + verdict(found.name, element(found.expression, c.where), c.expected, LIMIT * c.bound + c.spread)
