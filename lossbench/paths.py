"""The ways to a loss that torch offers beside calling its module: functional, autocast, vmap, torch.compile."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from benchkit.attribute import torch_class
from benchkit.conditions import threads
from benchkit.cpu_time import fresh_compiler
from benchkit.spec import Loss
from lossbench.subject import (
    UNDERIVED,
    Answer,
    Arguments,
    Array,
    Call,
    ModuleSubject,
    Unsupported,
    numbers,
    quiet,
    unimplemented,
)

BACKENDS = {"aot_eager": "aot_eager", "aot_decomposed": "aot_eager_decomp_partition", "inductor": "inductor"}
DYNAMIC = "inductor_dynamic"  # inductor with every size a symbol
BACKENDS |= {DYNAMIC: "inductor"}
THREADS, COUNT = "threads", 2  # the loss and its gradient by so many threads; else there is one
LIKELIHOODS, BEST = "likelihoods", "best"  # the loss from the probabilities of all classes; that of the class found best
OWN = ("functional", "autocast")  # paths on which only torch's own classes are judged

# "CPU Ops that can autocast to float32" in the documentation of torch.amp, less what is no loss; float16 shares the list.
AUTOCAST_TO_FLOAT32 = frozenset(
    {
        "binary_cross_entropy", "mse_loss", "cosine_embedding_loss", "nll_loss", "nll_loss2d", "hinge_embedding_loss",
        "poisson_nll_loss", "cross_entropy_loss", "l1_loss", "huber_loss", "margin_ranking_loss", "soft_margin_loss",
        "triplet_margin_loss", "multi_margin_loss", "ctc_loss", "kl_div", "multilabel_margin_loss",
        "binary_cross_entropy_with_logits",
    }
)  # fmt: skip


def autocasts_to_float32(item: Loss) -> bool:
    """Whether the documentation promises that the loss runs in float32 under autocast on the CPU."""
    name = item.functional_name.rpartition(".")[2]
    return bool({name, f"{name}_loss"} & AUTOCAST_TO_FLOAT32)


def autocast_format(dtype: str) -> str:
    """The lower precision of the autocast region of a case: its own, or bfloat16 where it is none."""
    return dtype if dtype in ("bfloat16", "float16") else "bfloat16"


def around(call: Call, device: str) -> Any:
    """The context in which the loss of a call runs."""
    import torch

    if call.path != "autocast":
        return contextlib.nullcontext()
    return torch.autocast(device, dtype=getattr(torch, autocast_format(call.dtype)))


def shared_out(call: Call) -> contextlib.AbstractContextManager[Any]:
    """The number of threads that a call and its gradient have."""
    return threads(COUNT) if call.path == THREADS else contextlib.nullcontext()


def by_class(call: Call, module: Any, methods: tuple[str, str]) -> Callable[..., Any]:
    """The losses by what the class says of all classes: of the targets, or of the classes that it finds best."""
    likelihoods, best = (getattr(module, name, None) for name in methods)
    if likelihoods is None or best is None:
        raise Unsupported(f"the class has no {' and no '.join(methods)}")

    def losses(rows: Any, targets: Any) -> Any:
        chosen = best(rows) if call.path == BEST else targets
        return -likelihoods(rows).gather(-1, chosen.unsqueeze(-1)).squeeze(-1)

    return losses


def functional(item: Loss, given: Mapping[str, Any]) -> Callable[..., Any]:
    """The functional form with the arguments of the constructor as keywords."""
    found = torch_class(item.functional_name) if item.functional_name else None
    if found is None:
        raise Unsupported(f"the installed torch has no {item.functional_name or 'functional form of ' + item.name}")

    def call(*inputs: Any) -> Any:
        try:
            return found(*inputs, **given)
        except TypeError as error:
            if "unexpected keyword argument" in str(error):
                raise Unsupported(f"the functional form does not accept it: {error}") from error
            raise

    return call


# ---- vmap: several calls at once, stacked along an axis ----------------------------------------------------------------------

STACKED_LAST, SHARED = "stacked_last", "shared"  # the lanes along the last axis; one array for all lanes


def vmapped(subject: ModuleSubject, call: Call) -> Answer:
    """The loss of all lanes by torch.func.vmap and, for an incoming gradient, the gradients by torch.func.vjp inside of it."""
    import torch

    lanes = [
        Arguments(Call(**{**vars(call), "layouts": {}, "requires": ()}), subject.device, i) for i in (call.inputs, *call.lanes)
    ]
    arguments, names = lanes[0], list(call.inputs)
    function = subject.function(call, arguments)
    axes = [
        {STACKED_LAST: -1, SHARED: None}.get(call.layouts.get(n, ""), 0) if isinstance(call.inputs[n], np.ndarray) else None
        for n in names
    ]
    stacked = [
        lanes[0].leaves[n] if axis is None else torch.stack([lane.leaves[n] for lane in lanes], dim=axis)
        for n, axis in zip(names, axes, strict=True)
    ]
    kept = [s.clone() if isinstance(s, torch.Tensor) else s for s in stacked]

    def value_of(*leaves: Any) -> Any:
        return function(*arguments.passed(dict(zip(names, leaves, strict=True))))

    def pulled(*leaves: Any) -> Any:
        at = [names.index(n) for n in call.requires]

        def moving(*some: Any) -> Any:
            return value_of(*(some[at.index(k)] if k in at else leaf for k, leaf in enumerate(leaves)))

        value, pull, *_ = torch.func.vjp(moving, *(leaves[k] for k in at))
        return value, *pull(torch.from_numpy(np.array(call.upstreams[0])).to(value))

    with unimplemented(UNDERIVED, lenient=not subject.own), quiet():
        run = torch.func.vmap(pulled if call.upstreams else value_of, in_dims=tuple(axes))
        found = run(*stacked)
    value, *gradients = found if call.upstreams else (found,)
    answer = arguments.answer(value, [[numbers(g) for g in gradients]] if call.upstreams else [])
    changed = (
        n
        for n, now, then in zip(names, stacked, kept, strict=True)
        if isinstance(now, torch.Tensor) and not torch.equal(now.nan_to_num(), then.nan_to_num())
    )
    answer.damaged = answer.damaged or next(changed, "")
    return answer


# ---- torch.compile: many cases of an item in one graph, since a graph costs more than what is in it --------------------------


def compiled(subject: ModuleSubject, call: Call) -> Answer:
    """The answer of a call from the graph that it shares with its fellows; alone where the graph as a whole cannot be made."""
    key, place, fellows = call.fellows or ("", 0, lambda: [call])
    if key not in subject.together or not key:
        calls = list(fellows())
        try:
            answers = together(subject, calls)
        except Unsupported as reason:
            answers = [reason] * len(calls)
        except Exception:
            answers = [_alone(subject, one) for one in calls]
        subject.together = {key: answers}  # those of the graph before are not asked for again
    answer = subject.together[key][place]
    if isinstance(answer, Exception):
        raise answer
    return answer


def _alone(subject: ModuleSubject, call: Call) -> Answer | Exception:
    try:
        return together(subject, [call])[0]
    except Exception as error:
        return error


Member = tuple[int, Call, Arguments, Callable[..., Any]]  # a call's place among the others, its tensors, and its function


def together(subject: ModuleSubject, calls: Sequence[Call]) -> list[Answer | Exception]:
    """Compile the losses of these calls as one function, and take from it the values and the gradients of each.

    What torch does not support without the compiler is not put into the graph.
    """
    import torch
    from torch._dynamo.utils import counters

    path = calls[0].path
    _check_compiler(path)
    answers: list[Answer | Exception] = []
    members: list[Member] = []
    for place, call in enumerate(calls):
        made = _eager(subject, call)
        answers.append(made if isinstance(made, Exception) else Unsupported("not compiled"))
        if not isinstance(made, Exception):
            members.append((place, call, *made))
    if not members:
        return answers
    functions = [function for *_, function in members]

    def run(passed: Any) -> Any:
        return [function(*one) for function, one in zip(functions, passed, strict=True)]

    fresh_compiler()
    with quiet(), unimplemented(UNDERIVED, lenient=not subject.own):
        fast = torch.compile(run, backend=BACKENDS[path], dynamic=path == DYNAMIC)
        found = _differentiated(fast, members)
    if not counters["stats"]["unique_graphs"]:
        raise Unsupported("torch.compile left it to the interpreter")
    for (place, *_), answer in zip(members, found, strict=True):
        answers[place] = answer
    return answers


def _eager(subject: ModuleSubject, call: Call) -> tuple[Arguments, Callable[..., Any]] | Exception:
    """The tensors and the function of a call, once they have run without the compiler."""
    arguments = Arguments(call, subject.device)
    try:
        function = subject.function(call, arguments)
        with unimplemented(), quiet():
            function(*arguments.passed())
    except Exception as error:
        return error
    return arguments, function


def _differentiated(fast: Callable[..., Any], members: Sequence[Member]) -> list[Answer]:
    """One run of the graph for each incoming gradient, which goes back through all of it at once."""
    import torch

    gradients: list[list[list[Array | None]]] = [[] for _ in members]
    values: list[Any] = []
    for turn in range(max(len(call.upstreams) for _, call, *_ in members)):
        values = fast([arguments.passed() for _, _, arguments, _ in members])
        roots, leaves, incoming = [], [], []
        for value, (_, call, arguments, _) in zip(values, members, strict=True):
            if call.requires:
                roots.append(value)
                incoming.append(arguments.incoming(call.upstreams[turn], value))
                leaves += arguments.required
        found = iter(torch.autograd.grad(roots, leaves, incoming, allow_unused=True) if roots else ())
        for mine, (_, call, *_) in zip(gradients, members, strict=True):
            mine.append([None if g is None else numbers(g) for g in (next(found) for _ in call.requires)])
    return [arguments.answer(v, mine) for v, mine, (_, _, arguments, _) in zip(values, gradients, members, strict=True)]


def _check_compiler(path: str) -> None:
    """Unsupported where torch.compile cannot work: an interpreter that it does not know, or no C++ compiler for inductor."""
    import torch

    if not torch._dynamo.is_dynamo_supported():
        raise Unsupported("torch.compile does not support this interpreter")
    if BACKENDS[path] == "inductor":
        from torch._inductor import config
        from torch._inductor.cpp_builder import get_cpp_compiler

        # Graphs are compiled anew, so that what is tested is what this torch makes now; only the C++ of equal text is kept.
        config.fx_graph_cache, config.compile_threads = False, 1
        torch._functorch.config.enable_autograd_cache = False
        try:
            get_cpp_compiler()
        except Exception as error:
            raise Unsupported(f"inductor needs a C++ compiler: {error}") from error
