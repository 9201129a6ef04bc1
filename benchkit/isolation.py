"""Scripts run in a process of their own, so that one that crashes, hangs or writes where it should not harms nobody."""

from __future__ import annotations

import contextlib
import multiprocessing
import os
import signal
import warnings
import weakref
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from multiprocessing.connection import Connection
from typing import Any

ANSWERED, RAISED, DIED, ENDLESS = "answered", "raised", "died", "endless"
PATIENCE_S = 60.0  # scripts take milliseconds, or seconds where they compile; what takes longer will not end


@dataclass(frozen=True)
class Outcome:
    """How a script ended: with the value of ``answer`` in words, or with an exception, its class and the classes above that.

    ``part`` is the number of the part that ended it.
    """

    kind: str
    text: str = ""
    part: int = 0
    error: str = ""
    kinds: tuple[str, ...] = ()
    nan: bool = False


@dataclass
class Assistant:
    """A child process that runs scripts one after another in fresh copies of ``names``.

    It is started when it is first asked, and started anew after it was told to ``forget``, which is wise after a script did
    what it should not: it may have written into foreign memory. On the CPU it is a fork of this process, so that it has all
    modules; elsewhere, where a fork has no device, a new interpreter. ``prepare`` runs in this process before a fork, and in
    the child that is a new interpreter. Those who ask keep in ``sure`` what they know to run.
    """

    names: Mapping[str, Any] = field(default_factory=dict)
    device: str = "cpu"
    prepare: Callable[[], None] | None = None
    sure: set[tuple[str, ...]] = field(default_factory=set)
    _line: Connection | None = None
    _child: Any = None  # a process number or a Process
    _end: Any = None

    def run(self, *parts: str) -> Outcome:
        """Run the parts of a script in order until one of them raises; the last one sets ``answer``."""
        if self._line is None:
            self._start()
        line = self._line
        assert line is not None
        try:
            line.send(parts)
            if not line.poll(PATIENCE_S):
                self.forget()
                return Outcome(ENDLESS, f"did not end within {PATIENCE_S:.0f} s")
            outcome, healthy = line.recv()
        except (EOFError, ConnectionError):
            return Outcome(DIED, f"killed the process ({self.forget(dead=True)})")
        if not healthy:
            self.forget()
        found: Outcome = outcome
        return found

    def forget(self, dead: bool = False) -> str:
        """End the process, if it is not ``dead`` already; say how it ended."""
        if self._end is None or not self._end.alive:
            return "it was not running"
        if dead:
            self._end.detach()
            how = _buried(self._line, self._child)
        else:
            how = self._end()
        self._line, self._end = None, None
        return str(how)

    def _start(self) -> None:
        self._line, theirs = multiprocessing.Pipe()
        if self.device == "cpu" and hasattr(os, "fork"):
            if self.prepare is not None:
                self.prepare()
            self._child = _fork(self._line, theirs, self.names)
        else:
            arguments = (theirs, dict(self.names), self.device, self.prepare)
            self._child = multiprocessing.get_context("spawn").Process(target=_serve_anew, args=arguments, daemon=True)
            self._child.start()
        theirs.close()
        self._end = weakref.finalize(self, _ended, self._line, self._child)


def _ended(line: Connection, child: Any) -> str:
    """Kill a child, which has nothing to lose. Closing the line would not do: a later fork may hold a copy of it."""
    if isinstance(child, int):
        with contextlib.suppress(ProcessLookupError):
            os.kill(child, signal.SIGKILL)
    else:
        child.kill()
    return _buried(line, child)


def _buried(line: Any, child: Any) -> str:
    """How a child ended that has ended or is about to."""
    line.close()
    if isinstance(child, int):
        code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    else:
        child.join()
        code = child.exitcode
    return signal.Signals(-code).name if code < 0 else f"exit status {code}"


def _fork(ours: Connection, theirs: Connection, names: Mapping[str, Any]) -> int:
    """A child that serves; it never returns from here."""
    with warnings.catch_warnings():
        # From Python 3.12 on a fork of a process with threads warns: of a progress bar here, whose locks the child never takes.
        warnings.simplefilter("ignore", DeprecationWarning)
        pid = os.fork()
    if pid == 0:
        try:
            ours.close()
            _serve(theirs, names, "cpu")
        finally:
            os._exit(0)
    return pid


def _serve_anew(line: Connection, names: Mapping[str, Any], device: str, prepare: Callable[[], None] | None) -> None:
    if prepare is not None:
        prepare()
    _serve(line, names, device)


def _serve(line: Connection, names: Mapping[str, Any], device: str) -> None:
    """Run what comes down the line until it is closed."""
    import faulthandler
    import gc

    import torch

    gc.freeze()  # what the parent left behind is its to clean up: finalizers of its objects would act in its name
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    faulthandler.disable()
    silence = os.open(os.devnull, os.O_WRONLY)
    os.dup2(silence, 1)
    os.dup2(silence, 2)  # the last words of a crash are its own affair
    with contextlib.suppress(ImportError, OSError, ValueError):
        import resource

        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    torch.set_num_threads(1)
    warnings.simplefilter("ignore")
    while True:
        try:
            parts = line.recv()
        except (EOFError, ConnectionError):
            return
        outcome = _run(parts, names)
        line.send((outcome, _healthy(device)))


def _run(parts: tuple[str, ...], names: Mapping[str, Any]) -> Outcome:
    scope = dict(names)
    for number, part in enumerate(parts):
        try:
            exec(compile(part, "<script>", "exec"), scope)
        except (Exception, SystemExit) as error:
            kinds = tuple(kind.__name__ for kind in type(error).__mro__)
            return Outcome(RAISED, _first_line(error), number, kinds[0], kinds)
    answer = scope["answer"]
    return Outcome(ANSWERED, " ".join(repr(answer).split())[:80], len(parts) - 1, nan=_is_nan(answer))


def _first_line(error: BaseException) -> str:
    return (str(error).strip().splitlines() or [""])[0][:300]


def _is_nan(answer: Any) -> bool:
    import torch

    return isinstance(answer, torch.Tensor) and answer.is_floating_point() and bool(answer.isnan().any())


def _healthy(device: str) -> bool:
    """Whether the device can still be asked: an assertion that fails in a kernel spoils it for the process."""
    import torch

    if device == "cpu":
        return True
    try:
        return float(torch.ones(1, device=device).item()) == 1.0
    except RuntimeError:
        return False
