"""The text of a reproducer: tensors in their layouts, the loss on its path, and the worst element against what it should be."""

from __future__ import annotations

from typing import Any

import numpy as np

from benchkit.judge import LIMIT, Comparison
from benchkit.snippets import HEAD, RAN_THROUGH, constructor, element, tensor, verdict
from benchkit.spec import Native
from lossbench.checks import Trial, directions, tangents
from lossbench.layouts import CONTIGUOUS, place
from lossbench.paths import BACKENDS, COUNT, DYNAMIC, SHARED, STACKED_LAST, THREADS, autocast_format
from lossbench.subject import arguments_of

LAID = '''
def laid(values, length, strides, offset):
    """The same numbers as a view of a larger tensor of NaN (integers: of other numbers)."""
    base = torch.full((length,), float("nan") if values.is_floating_point() else 0, dtype=values.dtype)
    if values.numel() and not values.is_floating_point():
        base = values.flatten().roll(1).repeat(-(-length // values.numel()))[:length]
    at = torch.zeros(values.shape, dtype=torch.long) + offset
    for axis, stride in enumerate(strides):
        at += (torch.arange(values.shape[axis]) * stride).reshape([-1] + [1] * (values.ndim - axis - 1))
    base[at.flatten()] = values.flatten()
    return base.as_strided(values.shape, strides, offset)

'''


def script(trial: Trial, check: str, part: str, worst: Comparison, impl: str | None) -> str:
    """Write the script of a failure of one check."""
    case = trial.case
    first = worst.sentence(part)
    text = HEAD.format(title=f"{case.item.name}: {first}\n\nCase {case.id(check)}.", suite="lossbench")
    imports, name = constructor(case.item.path, impl)
    writer = Writer(trial, check, name)
    body = writer.tensors() + writer.loss() + writer.call()
    text += imports + (LAID + "\n" if "laid(" in body else "") + body
    if worst.why.startswith("raised"):
        return text + RAN_THROUGH
    if worst.why.startswith("no gradient"):
        leaf = writer.leaf(part.removeprefix("d/d"))
        return text + f"\nprint({first!r})\nsys.exit(1 if {leaf}.grad is None else 0)\n"
    if worst.why:
        return text + f"\nprint({first!r})\nprint(value)\nsys.exit(1)\n"
    return text + verdict(part, element(writer.got(part), worst.where), worst.expected, LIMIT * worst.bound + worst.spread)


class Writer:
    """Writes the parts of one script."""

    def __init__(self, trial: Trial, check: str, name: str) -> None:
        self.trial, self.case, self.check, self.name = trial, trial.case, check, name
        self.drawn, self.names = trial.drawn, list(trial.drawn.inputs)
        self.requires = {"forward": [], "option_gradient": [], "weights": self.case.weights}.get(check, trial.derivable())
        self.parameters = {n: d.parameter for n, d in self.case.domains.items() if d.parameter}

    # ---- Tensors

    def array(self, name: str, array: Any, floating: bool = True) -> str:
        """An argument as an expression: numbers, format, device, layout."""
        case = self.case
        if not isinstance(array, np.ndarray):
            return repr(array)
        format = dict(case.formats).get(name) or (case.dtype if floating else str(array.dtype))
        made = repeated(array, format)
        made = made if case.device == "cpu" else f'{made}.to("{case.device}")'
        layout = dict(case.layouts).get(name, CONTIGUOUS)
        if layout == CONTIGUOUS or case.path == "vmap":
            return made
        where = place(array.shape, layout)
        return f"laid({made}, {where.length}, {where.strides}, {where.offset})"

    def tensors(self) -> str:
        """The inputs and the tensor options, by their names."""
        case, text = self.case, ""
        grad = "" if self.check == "forward_mode" or case.path == "vmap" else ".requires_grad_()"
        for name, array in self.drawn.inputs.items():
            made = self.array(name, array, case.domains[name].floating)
            if case.path == "vmap":
                made = self.stacked(name)
            text += f"{name} = {made}{grad if name in self.requires and name not in self.parameters else ''}\n"
        for name, array in self.drawn.options.items():
            if isinstance(array, np.ndarray):
                needs = ".requires_grad_()" if self.check == "option_gradient" or name in self.requires else ""
                text += f"{name} = {self.array(name, array)}{needs}\n"
        return text

    def stacked(self, name: str) -> str:
        """An input of all the lanes."""
        word = dict(self.case.layouts).get(name, "")
        floating = self.case.domains[name].floating
        lanes = [self.drawn, *(lane.drawn for lane in self.trial.lanes)]
        made = [self.array(name, lane.inputs[name], floating) for lane in lanes]
        axis = -1 if word == STACKED_LAST else 0
        return (
            made[0]
            if word == SHARED or not isinstance(lanes[0].inputs[name], np.ndarray)
            else f"torch.stack([\n    {f',{chr(10)}    '.join(made)},\n], {axis})"
        )

    # ---- The loss

    def loss(self) -> str:
        """The module, or the functional form under the same name; compiled where the path says so."""
        case, arguments = self.case, self.arguments()
        if case.path == "functional":
            return f"\n\ndef loss(*inputs):\n    return {case.item.functional_name}(*inputs, {arguments})\n\n\n"
        device = "" if case.device == "cpu" else f'.to("{case.device}")'
        text = f"loss = {self.name}({arguments}){device}\n"
        if self.parameters:
            state = ", ".join(f'"{of_module}": {argument}' for argument, of_module in self.parameters.items())
            text += f"loss.load_state_dict({{{state}}}, strict=False)\nloss.requires_grad_(False)\n"
            text += "".join(f"{self.leaf(n)}.requires_grad_()\n" for n in self.requires if n in self.parameters)
        if case.path in BACKENDS:
            dynamic = ", dynamic=True" if case.path == DYNAMIC else ", dynamic=False"
            text += f'loss = torch.compile(loss, backend="{BACKENDS[case.path]}"{dynamic})\n'
        return text

    def arguments(self) -> str:
        """The constructor's arguments: the options that are not at their defaults, and the reduction."""
        case, given = self.case, []
        for name, value in self.drawn.options.items():
            if isinstance(value, np.ndarray):
                given.append(f"{name}={name}")
            elif isinstance(value, Native):
                given.append(f"{name}={value.expression}")
            elif name in case.settings or name in case.item.required:
                given.append(f"{name}={value!r}")
        if self.parameters and case.dtype != "float32":
            given.append(f"dtype=torch.{case.dtype}")
        if case.legacy is not None:
            return ", ".join([*given, "size_average={}, reduce={}".format(*case.legacy)])
        return ", ".join([*given, *(f"{name}={value!r}" for name, value in arguments_of(case.item, case.reduction).items())])

    def leaf(self, name: str) -> str:
        """What holds the gradient by a name: the tensor of that name, or the parameter of the module."""
        return f'loss.get_parameter("{self.parameters[name]}")' if name in self.parameters else name

    # ---- The call

    def call(self) -> str:
        """The value and what the check derives from it."""
        if self.case.path == "vmap":
            return self.vmapped()
        if self.check == "forward_mode":
            return self.forward_mode()
        field = self.case.item.answers.get(self.case.reduction, "")
        sign, field = "-" * field.startswith("-"), field.removeprefix("-")
        value = f"value = {sign}loss({self.passed(self.names)}){'.' * bool(field)}{field}\n"
        if self.case.path == "autocast":
            format = autocast_format(self.case.dtype)
            value = f'with torch.autocast("{self.case.device}", torch.{format}):\n    {value}'
        if self.case.path == THREADS:
            value = f"torch.set_num_threads({COUNT})\n{value}"
        if self.check == "double_backward":
            return value + self.double_backward()
        if self.requires or self.check == "option_gradient":
            value += f"value.backward({self.upstream()})\n"
        return value

    def passed(self, names: list[str]) -> str:
        domains, passed = self.case.domains, [n for n in names if n not in self.parameters]
        return ", ".join(f"torch.log_softmax({n}, -1)" if domains[n].through == "log_softmax" else n for n in passed)

    def upstream(self) -> str:
        """The incoming gradient, in its layout and the format of the value."""
        shape = self.trial.shape
        array = np.ones(shape) if self.check == "gradient" else self.case.upstream(shape)
        layout = dict(self.case.layouts).get("incoming", CONTIGUOUS)
        made = repeated(array, self.case.stored[0])
        if layout == CONTIGUOUS or self.case.path == "vmap":
            return f"{made}.to(value)"
        where = place(array.shape, layout)
        return f"laid({made}.to(value), {where.length}, {where.strides}, {where.offset})"

    def vmapped(self) -> str:
        words = dict(self.case.layouts)
        axes = tuple(
            {STACKED_LAST: -1, SHARED: None}.get(words.get(n, ""), 0) if isinstance(self.drawn.inputs[n], np.ndarray) else None
            for n in self.names
        )
        inputs, moving = ", ".join(self.names), ", ".join(self.requires)
        if not self.requires:
            body = f"def pulled({inputs}):\n    return (loss({self.passed(self.names)}),)\n"
        else:
            body = (
                f"def pulled({inputs}):\n"
                f"    value, pull = torch.func.vjp(lambda {moving}: loss({self.passed(self.names)}), {moving})\n"
                f"    return value, *pull({self.upstream()})\n"
            )
        return f"\n\n{body}\n\nvalue, *gradients = torch.func.vmap(pulled, in_dims={axes})({inputs})\n"

    def forward_mode(self) -> str:
        along = tangents(self.trial)
        text = "with torch.autograd.forward_ad.dual_level():\n"
        for name in self.requires:
            text += f"    {name} = torch.autograd.forward_ad.make_dual({name}, {self.array(name, along[name])})\n"
        text += f"    value, moved = torch.autograd.forward_ad.unpack_dual(loss({self.passed(self.names)}))\n"
        return text + "    moved = torch.zeros_like(value) if moved is None else moved\n"

    def double_backward(self) -> str:
        along = directions(self.trial)
        made = ", ".join(repeated(along[n], self.case.dtype) for n in self.requires)
        leaves = ", ".join(self.requires)
        return (
            f"incoming = {self.upstream()}.requires_grad_()\n"
            f"first = torch.autograd.grad(value, [{leaves}], incoming, create_graph=True, allow_unused=True)\n"
            f"pairs = [(g, d) for g, d in zip(first, [{made}]) if g is not None and g.requires_grad]\n"
            f"leaves = [{leaves}, incoming]\n"
            "second = torch.autograd.grad([g for g, _ in pairs], leaves, [d for _, d in pairs], allow_unused=True)\n"
            "second = [torch.zeros_like(leaf) if g is None else g for g, leaf in zip(second, leaves)]\n"
        )

    def got(self, part: str) -> str:
        """What the worst element is an element of."""
        name, _, lane = part.partition("[")
        lane = lane and f"[{lane}"
        if name == "tangent":
            return "moved.detach()"
        if name.startswith("d2/d"):
            return f"second[{[*self.requires, 'incoming'].index(name.removeprefix('d2/d'))}].detach()"
        if not name.startswith("d/d"):
            return f"value.detach(){lane}"
        argument = name.removeprefix("d/d")
        return f"gradients[{self.requires.index(argument)}]{lane}" if lane else f"{self.leaf(argument)}.grad"


def repeated(array: Any, format: str, period: int = 8) -> str:
    """An array as an expression; one whose rows come over and over as a few rows and how often."""
    rows = len(array) if array.ndim else 0
    if rows <= 64 or not (array == np.resize(array[:period], array.shape)).all():
        return tensor(array, format)
    times = ", ".join(map(str, (-(-rows // period), *(1 for _ in array.shape[1:]))))
    return f"{tensor(array[:period], format)}.repeat({times})[:{rows}]"
