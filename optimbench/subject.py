"""Implementations under test, recorded step by step: torch's optimizer on one of its paths, or a user's class."""

from __future__ import annotations

import contextlib
import inspect
import itertools
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Protocol

import numpy as np

from benchkit.attribute import torch_class
from benchkit.precision import FLOAT32, FLOAT64, Precision
from benchkit.spec import Optimizer
from optimbench.cases import TENSORS, Array, Case, Drawn
from optimbench.film import Film, Stored, Stretch
from optimbench.layouts import LAYOUTS, placed, spilled
from optimbench.paths import PATHS, compiled, needed


class Unsupported(Exception):
    """The subject has no such option, path or format; the case says nothing about it."""


@dataclass
class Segment:
    """One parameter in one step: what the optimizer found and what it left.

    ``options`` and ``precision`` hold where they are not those of the case.
    """

    step: int
    parameter: int
    group: int
    before: Array
    gradient: Array
    touched: Array
    state_before: dict[str, Stored]
    after: Array
    state_after: dict[str, Stored]
    options: Mapping[str, Any] | None = None
    precision: Precision | None = None


@dataclass
class Recording:
    """All segments of a run; in ``complaints`` the parameters that moved without a gradient; in ``damaged`` the gradients that
    were written to, of ``gradients`` looked at; in ``spilled`` the tensors around which memory was written to, of ``around``
    numbers looked at; in ``raised`` the exception that ended the run. ``held`` has the options that are held in tensors, and
    their format. ``own`` says that the class is torch's, so that its state must have torch's names."""

    segments: list[Segment] = field(default_factory=list)
    complaints: list[str] = field(default_factory=list)
    damaged: list[str] = field(default_factory=list)
    gradients: int = 0
    spilled: list[str] = field(default_factory=list)
    around: int = 0
    held: Mapping[str, Precision] = field(default_factory=dict)
    raised: str = ""
    own: bool = True
    steps: list[Any] = field(default_factory=list)  # of optimizers that take a closure

    def see_gradient(self, step: int, number: int, given: Array, kept: Array | None) -> None:
        """Compare a gradient after a step with what it was before."""
        self.gradients += given.size
        if kept is None or not np.array_equal(kept, given):
            self._damaged_gradient(step, number)

    def _damaged_gradient(self, step: int, number: int) -> None:
        self.damaged.append(f"step {step + 1}: the gradient of parameter {number} was changed in place")

    def see(self, film: Film, drawn: Drawn, given: Array, group_of: Sequence[int]) -> None:
        """Take the steps from the looks before, between and after them; ``given`` are the gradients end to end, by step."""
        stretches = film.developed()
        looks = [row for stretch in stretches for row in stretch.rows()]
        self._see_gradients(stretches, drawn, given)
        for step, ((before, states_before), (after, states_after)) in enumerate(itertools.pairwise(looks)):
            for number, g in enumerate(drawn.gradients[step]):
                if g is None:
                    if not np.array_equal(after[number], before[number], equal_nan=True):
                        self.complaints.append(f"step {step + 1}: parameter {number} changed though it has no gradient")
                    continue
                segment = Segment(
                    step, number, group_of[number], before[number], g, drawn.touched[step][number], states_before[number],
                    after[number], states_after[number],
                )  # fmt: skip
                self.segments.append(segment)

    def _see_gradients(self, stretches: Sequence[Stretch], drawn: Drawn, given: Array) -> None:
        """Compare the gradients that each look found with those that the step before it was given."""
        there = np.array([[g is not None for g in row] for row in drawn.gradients])
        changed, first = np.zeros_like(there), -1  # the first look comes before the first step
        for stretch in stretches:
            steps = slice(max(first, 0), first + stretch.count)
            end = 0
            for number, (p, column) in enumerate(zip(drawn.parameters, stretch.gradients, strict=True)):
                part = slice(end, end := end + p.size)
                if column is None or column.shape[1:] != p.shape:
                    changed[steps, number] = there[steps, number]
                    continue
                kept = column.reshape(stretch.count, p.size)[max(-first, 0) :]
                changed[steps, number] = there[steps, number] & (kept != given[steps, part]).any(axis=1)
            first += stretch.count
        self.gradients += int(there[:first].sum(axis=0) @ [p.size for p in drawn.parameters])
        for step, number in np.argwhere(changed):
            self._damaged_gradient(step, number)

    def see_surroundings(self, tensors: Sequence[tuple[str, Any]]) -> None:
        """Look at the memory around tensors at the end of a run."""
        self.around, damaged = spilled([tensor for _, tensor in tensors])
        self.spilled = [f"memory around {tensors[number][0]} was written to" for number in damaged]


class Subject(Protocol):
    own: bool

    def fitted(self, case: Case) -> Case: ...

    def arguments(self, case: Case) -> dict[str, Any]: ...

    def held(self, case: Case) -> dict[str, Precision]: ...

    def __call__(self, case: Case, drawn: Drawn) -> Recording: ...


class TorchSubject:
    """A class with the interface of torch.optim.Optimizer: torch's own, whose paths it is asked for, or one in its place."""

    def __init__(self, item: Optimizer, device: str, constructor: Callable[..., Any]) -> None:
        self.item, self.device, self.constructor = item, device, constructor
        self.own = getattr(constructor, "__module__", "").startswith("torch.")
        self.kin = self.own or torch_class(item.path) in getattr(constructor, "__mro__", ())
        parameters = inspect.signature(constructor).parameters
        self.annotations = {name: p.annotation for name, p in parameters.items()}
        handed_on, open_ended = arguments_of(constructor)
        self.accepted = {*parameters, *handed_on, *(item.options if open_ended else ())}
        if open_ended and self.kin:
            self.accepted |= {*inspect.signature(torch_class(item.path)).parameters}

    def fitted(self, case: Case) -> Case:
        """The case with what the class cannot be asked for at its default in the second group.

        A group takes any name without complaint, so an option that the constructor lacks would be ignored there in silence.
        """
        if self.own:
            return case
        return replace(case, others={n: v if n in self.accepted else case.item.defaults[n] for n, v in case.others.items()})

    def __call__(self, case: Case, drawn: Drawn) -> Recording:
        import torch

        if "closure" in self.item.tags:
            from optimbench import closures

            recording = Recording(own=self.own)
            with unimplemented(), ending(recording):
                closures.record(case, lambda parameters: self.build(case, [parameters]), recording)
            return recording
        dtype = getattr(torch, case.dtype)
        of_parameter, of_gradient = LAYOUTS[case.layout]
        starts = [placed(torch.tensor(p, dtype=torch.float64).to(case.device, dtype), of_parameter) for p in drawn.parameters]
        graph = "differentiable" in needed(case.path)
        parameters: list[Any] = [torch.nn.Parameter(start) for start in starts]
        if graph:  # a step that is part of a graph needs parameters that are
            parameters = [p.clone() for p in parameters]
            for p in parameters:
                p.retain_grad()
        numbers_of = itertools.count()
        groups = [[parameters[next(numbers_of)] for _ in group] for group in drawn.groups]
        group_of = [i for i, group in enumerate(groups) for _ in group]
        optimizer = self.build(case, groups)
        step_of = compiled(optimizer.step, PATHS[case.path].backend) if PATHS[case.path].backend else optimizer.step
        recording = Recording(own=self.own, held=self.held(case))
        placed_gradients: list[tuple[str, Any]] = []
        given = _end_to_end(drawn)
        film = Film(parameters, optimizer)
        film.look()
        for gradients in self._gradients(drawn, parameters, given):
            handed = [None if g is None or not of_gradient or g.is_sparse else placed(g, of_gradient) for g in gradients]
            for p, plain, gradient in zip(parameters, gradients, handed, strict=True):
                gradient = plain if gradient is None else gradient
                if case.refills and gradient is not None and p.grad is not None:
                    p.grad.copy_(gradient)
                else:
                    p.grad = gradient
            placed_gradients += [(f"the gradient of parameter {i}", g) for i, g in enumerate(handed) if g is not None]
            with unimplemented(), ending(recording):
                step_of()
            if recording.raised:
                break
            film.look()
        recording.see(film, drawn, given, group_of)
        recording.complaints += self._changed_tensors(case, optimizer)
        recording.see_surroundings([(f"parameter {i}", p) for i, p in enumerate(starts)] + placed_gradients)
        return recording

    def arguments(self, case: Case) -> dict[str, Any]:
        """What the constructor is given besides the parameters: the switches of the path and the options away from their
        defaults, so that the constructor's own defaults count. Unsupported where it has no such switch."""
        defaults = self.item.defaults
        chosen = {n: v for n, v in case.options.items() if v != defaults[n] or type(v) is not type(defaults[n])}
        if case.path not in (self.item.paths[0], "default") and (missing := needed(case.path) - self.accepted):
            raise Unsupported(f"the constructor has no {' and no '.join(sorted(missing))} switch")
        if case.path == "default" and not {"foreach", "fused"} & self.accepted:
            raise Unsupported("the constructor has no foreach and no fused switch: there is nothing to choose by default")
        if PATHS[case.path].backend and not self.kin:
            raise Unsupported("only torch's own classes, and what is derived from them, are compiled")
        return chosen | {name: flag for name, flag in PATHS[case.path].switches.items() if name in self.accepted}

    def build(self, case: Case, groups: Sequence[Sequence[Any]]) -> Any:
        """Construct the optimizer; a class in torch's place has the paths that its constructor has switches for."""
        arguments, described = self.arguments(case), [{"params": list(group)} for group in groups]
        for group in described[1:]:
            group |= {n: v for n, v in case.others.items() if n in arguments or v != self.item.defaults[n]}
        for name, precision in self.held(case).items():
            arguments[name] = _in_tensors(case.options[name], precision, case.device)
            for group in described[1:]:
                group[name] = _in_tensors(case.others[name], precision, case.device)
        with unimplemented():
            try:
                return self.constructor(described, **arguments)
            except TypeError as error:
                if "unexpected keyword argument" in str(error):
                    raise Unsupported(f"the constructor does not accept it: {error}") from error
                raise
            except ValueError as error:
                # A class in torch's place need not provide for every value of an option, but must be made at the defaults.
                lacks = not self.own and (case.settings or case.others != self.item.defaults)
                if lacks or (case.lane == "tensor" and "as a Tensor is not supported" in str(error)):
                    raise Unsupported(str(error)) from error
                raise

    def refuses(self, name: str, value: Any) -> bool:
        """Whether the constructor has the option but not this value of it."""
        import torch

        try:
            self.constructor([torch.nn.Parameter(torch.zeros(2, 2))], **{name: value})
        except ValueError:
            return True
        except Exception:  # whatever else goes wrong is told where the class is made for a case
            return False
        return False

    def _changed_tensors(self, case: Case, optimizer: Any) -> Iterator[str]:
        """A complaint for each option held in a tensor that is not what it was."""
        for name, precision in self.held(case).items():
            for group, given in zip(optimizer.param_groups, (case.options, case.others), strict=False):
                if _numbers_of(group[name]) != _numbers_of(_in_tensors(given[name], precision, "cpu")):
                    yield f"the tensor that holds {name} was changed in place"

    def held(self, case: Case) -> dict[str, Precision]:
        """The options that a case holds in tensors, those whose type says that they may be, and the format of the tensors."""
        if case.lane != "tensor":
            return {}
        names = [n for n in TENSORS if n in self.item.options and "Tensor" in str(self.annotations.get(n))]
        if not names:
            raise Unsupported("the constructor does not say that it takes an option in a tensor")
        return dict.fromkeys(names, FLOAT64 if case.precision is FLOAT64 else FLOAT32)

    def _gradients(self, drawn: Drawn, parameters: Sequence[Any], given: Array) -> Iterator[list[Any]]:
        """For every step the gradients of all parameters as tensors, None where there is none."""
        import torch

        sizes = [start.size for start in drawn.parameters]
        rows = torch.from_numpy(given).to(parameters[0].device, parameters[0].dtype, copy=True).split(sizes, dim=1)
        columns = [part.view(len(given), *p.shape).unbind() for part, p in zip(rows, drawn.parameters, strict=True)]
        for row, parts, touched in zip(drawn.gradients, zip(*columns, strict=True), drawn.touched, strict=True):
            yield [None if g is None else self._sparse(part, t) for g, part, t in zip(row, parts, touched, strict=True)]

    def _sparse(self, dense: Any, touched: Array) -> Any:
        """For optimizers of sparse gradients the stored rows of a gradient, for all others the gradient."""
        import torch

        if "sparse" not in self.item.tags:
            return dense
        rows = np.flatnonzero(touched.reshape(touched.shape[0], -1).any(axis=1)) if touched.size else np.zeros(0, dtype=int)
        index = torch.tensor(rows, dtype=torch.int64, device=dense.device).reshape(1, -1)
        return torch.sparse_coo_tensor(index, dense[index[0]], dense.shape, check_invariants=True).coalesce()


def _end_to_end(drawn: Drawn) -> Array:
    """The gradients of all parameters end to end, one row for each step; zeros where there is none."""
    return np.stack(
        [
            np.concatenate([np.zeros(p.size) if g is None else g.ravel() for g, p in zip(row, drawn.parameters, strict=True)])
            for row in drawn.gradients
        ]
    )


def arguments_of(constructor: Callable[..., Any]) -> tuple[set[str], bool]:
    """The arguments of a constructor and of those of its bases to which it hands on any others; and whether it takes any,
    as one does that makes torch's base class of what it is given."""
    from torch.optim.optimizer import Optimizer as Base

    found: set[str] = set()
    for one in getattr(constructor, "__mro__", (constructor,)):
        if one is Base or one is object:
            return found, True
        if one is not constructor and "__init__" not in vars(one):
            continue
        parameters = inspect.signature(one).parameters.values()
        found |= {p.name for p in parameters}
        if not any(p.kind is inspect.Parameter.VAR_KEYWORD for p in parameters):
            return found, False
    return found, True


def _numbers_of(value: Any) -> Any:
    """A number that may be held in a tensor, or a tuple of such, as plain numbers."""
    return tuple(map(_numbers_of, value)) if isinstance(value, tuple) else float(value)


def _in_tensors(value: Any, precision: Precision, device: str) -> Any:
    """A number, or each of a tuple, in a tensor of its own."""
    import torch

    if isinstance(value, tuple):
        return tuple(_in_tensors(v, precision, device) for v in value)
    return torch.tensor(value, dtype=getattr(torch, precision.name), device=device)


@contextlib.contextmanager
def unimplemented() -> Iterator[None]:
    """Turn torch's ways of saying that it has no kernel for a format or path into Unsupported."""
    try:
        yield
    except NotImplementedError as error:
        raise Unsupported((str(error) or type(error).__name__).splitlines()[0]) from error
    except AssertionError as error:
        if "must be on supported devices" in str(error):
            raise Unsupported(str(error).splitlines()[0]) from error
        raise
    except RuntimeError as error:
        if "not implemented for" in str(error):
            raise Unsupported((str(error) or type(error).__name__).splitlines()[0]) from error
        raise


@contextlib.contextmanager
def ending(recording: Recording) -> Iterator[None]:
    """Keep an exception as the end of a recording; what was recorded before it can still be judged."""
    try:
        yield
    except (Unsupported, NotImplementedError, AssertionError) as error:
        if not isinstance(error, AssertionError) or "must be on supported devices" in str(error):
            raise
        recording.raised = described(error)
    except Exception as error:
        if "not implemented for" in str(error):
            raise
        recording.raised = described(error)


def described(error: BaseException) -> str:
    """An exception in one line."""
    return f"raised {type(error).__name__}: {(str(error).strip().splitlines() or [''])[0]}"


def numbers(tensor: Any) -> Array:
    """A tensor as float64 numbers on the host, in memory of their own."""
    import torch

    return np.array(tensor.detach().to("cpu", torch.float64).numpy(), copy=True)
