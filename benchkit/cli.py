"""The command line of both sides, built from one description. Starting it imports neither torch nor numpy.

Every command reads and checks its options here, makes a Request of them and hands it to a function that is imported then.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Annotated, Any, TypeVar

import typer

from benchkit.attribute import load, load_attribute, suggestion
from benchkit.options import (
    Against,
    Allocator,
    Compare,
    Devices,
    Dtypes,
    Grid,
    Impl,
    Items,
    Json,
    Level,
    OneDevice,
    Operations,
    Own,
    Paths,
    Problems,
    Protocols,
    Rates,
    Reports,
    Resume,
    Scheduler,
    Second,
    Seed,
    Seeds,
    Sizes,
    Steps,
    TimedDtypes,
    Version,
    Workloads,
)
from benchkit.request import ALLOCATORS, DTYPES, LEVELS, USAGE, Request, UsageError, listed

INTERRUPTED = 130  # exit status after Ctrl-C, as shells have it

REPORTS = Path("reports")
ON_WORKERS = ("verify", "prove", "report")  # the commands that share their work out to processes as soon as they can

T = TypeVar("T")

EPILOG = "Exit status: 0 all right (waived counts as right), 1 a discrepancy, 2 wrong usage, 130 interrupted."


@dataclass(frozen=True)
class Side:
    """One of the two suites: its name, what its items are, where they are declared, what its commands run.

    ``registry`` and the values of ``commands`` are ``module:attribute``, imported when they are needed.
    """

    name: str
    noun: str
    registry: str
    commands: Mapping[str, str]


def build(side: Side) -> typer.Typer:
    """The command line application of one side."""
    app = typer.Typer(
        name=side.name,
        help=f"Is it right, how fast is it: checks the {side.noun} of PyTorch, or your replacement of one.",
        epilog=EPILOG,
        no_args_is_help=True,
        add_completion=False,
        pretty_exceptions_enable=False,
        rich_markup_mode=None,  # the plain help page: rich would double the start-up time
    )

    def run(command: str, **options: Any) -> None:
        begun = time.time()
        request = replace(_guard(side, lambda: _request(side, command, **options)), begun=begun)
        raise typer.Exit(_guard(side, lambda: int(load(side.commands[command])(request)), request))

    @app.callback()
    def options(version: Version = False) -> None:
        del version  # the callback has dealt with it

    @app.command("list")
    def list_items() -> None:
        """List the items: options, document section, planted bugs."""
        _guard(side, lambda: load("benchkit.show:items")(load(side.registry)))

    @app.command()
    def show(item: Annotated[str, typer.Argument(metavar="ITEM", help="The class, in any of its spellings.")]) -> None:
        """Show everything that is declared of one item."""
        _guard(side, lambda: load("benchkit.show:item")(load(side.registry)[_items(side, [item])[0]]))

    @app.command()
    def verify(
        items: Items = None,
        device: Devices = None,
        dtype: Dtypes = None,
        level: Level = "standard",
        impl: Impl = None,
        json: Json = None,
        reports: Reports = REPORTS,
        seed: Seed = 0,
        resume: Resume = False,
    ) -> None:
        """Compare values, gradients and states with the reference."""
        run(
            "verify",
            items=items,
            device=device,
            dtype=dtype,
            level=level,
            impl=impl,
            json=json,
            reports=reports,
            seed=seed,
            resume=resume,
        )

    @app.command()
    def prove(
        items: Items = None,
        level: Level = "standard",
        json: Json = None,
        reports: Reports = REPORTS,
        resume: Resume = False,
    ) -> None:
        """Plant bugs, edit every formula, and see that verify catches it."""
        run("prove", items=items, device=["cpu"], level=level, json=json, reports=reports, resume=resume)

    @app.command("time")
    def time_items(
        items: Items = None,
        device: Devices = None,
        dtype: TimedDtypes = None,
        level: Level = "standard",
        size: Sizes = None,
        operation: Operations = None,
        path: Paths = None,
        workload: Workloads = None,
        against: Against = None,
        compare: Compare = None,
        allocator: Allocator = "system",
        json: Json = None,
        reports: Reports = REPORTS,
        resume: Resume = False,
    ) -> None:
        """Time the items on every device that is present."""
        extra: dict[str, Any] = {"size": size, "dtypes_given": dtype is not None}
        extra |= {"operation": operation, "path": path, "workload": workload}
        extra |= {"against": against, "compare": str(compare) if compare else None}
        extra |= {"allocator": allocator if allocator != ALLOCATORS[0] else None}
        run("time", items=items, device=device, dtype=dtype, level=level, json=json, reports=reports, resume=resume, **extra)

    if "converge" in side.commands:

        @app.command()
        def converge(
            items: Items = None,
            problem: Problems = None,
            protocol: Protocols = None,
            seeds: Seeds = None,
            steps: Steps = None,
            lr: Rates = None,
            optimizer: Own = None,
            grid: Grid = None,
            second: Second = None,
            device: OneDevice = "cpu",
            scheduler: Scheduler = None,
            json: Json = None,
            reports: Reports = REPORTS,
            resume: Resume = False,
        ) -> None:
            """Train test problems with every optimizer from the same starts, over many seeds, under three protocols."""
            options = {
                "problem": problem,
                "protocol": protocol,
                "seeds": seeds,
                "steps": steps,
                "lr": lr,
                "optimizer": optimizer,
                "grid": grid,
                "second": second,
                "scheduler": scheduler,
            }
            run("converge", items=items, device=[device], json=json, reports=reports, resume=resume, **options)

    @app.command()
    def plot(reports: Reports = REPORTS) -> None:
        """Draw the figures."""
        run("plot", device=["cpu"], reports=reports)

    @app.command()
    def document(reports: Reports = REPORTS) -> None:
        """Check what the source document prints against this torch."""
        run("document", device=["cpu"], reports=reports)

    @app.command()
    def report(reports: Reports = REPORTS, level: Level = "standard", seed: Seed = 0, resume: Resume = False) -> None:
        """Do the whole job of this side and write the pages."""
        run("report", reports=reports, level=level, seed=seed, resume=resume)

    return app


def _request(
    side: Side,
    command: str,
    *,
    items: Sequence[str] | None = None,
    device: Sequence[str] | None = None,
    dtype: Sequence[str] | None = None,
    level: str = "standard",
    impl: str | None = None,
    json: Path | None = None,
    reports: Path = REPORTS,
    seed: int = 0,
    resume: bool = False,
    **extra: Any,
) -> Request:
    """The checked request; UsageError names the first option that cannot be used. What takes longest is checked last."""
    names = _items(side, items or ())
    dtypes = _choices("dtype", _split(dtype), DTYPES) or DTYPES
    _choices("level", [level], LEVELS)
    if impl is not None and len(names) != 1:
        raise UsageError(
            f"--impl {impl} needs exactly one ITEM, the contract that it claims to keep; {len(names) or 'none'} given"
        )
    extra = {name: value for name, value in extra.items() if value}
    if "against" in extra and len(names) != 1:
        raise UsageError(
            f"--against {extra['against']} needs exactly one ITEM, the class that it is like; {len(names) or 'none'} given"
        )
    if "allocator" in extra:
        _choices("allocator", [extra["allocator"]], ALLOCATORS)
    for name in ("operation", "path", "workload"):
        if name in extra:
            extra[name] = tuple(extra[name] if name == "workload" else _split(extra[name]))
    if "size" in extra:
        extra["size"] = tuple(map(_size, _split(extra["size"])))
    if "lr" in extra:
        extra["lr"] = tuple(map(_rate, extra["lr"]))
    _check_writable(reports)
    if impl is not None:
        load_attribute(impl)
    if "against" in extra:
        load_attribute(extra["against"], "--against")
    wanted = _split(device)
    if command in ON_WORKERS and "cpu" in (wanted or ["cpu"]):
        from benchkit import workers

        workers.warm_up(side.commands["verify"].partition(":")[0])  # they import torch while this process does
    return Request(
        suite=side.name,
        command=command,
        items=names,
        devices=_devices(wanted),
        dtypes=dtypes,
        level=level,
        impl=impl,
        json=json,
        reports=reports,
        seed=seed,
        resume=resume,
        extra=extra,
    )


def _guard(side: Side, work: Callable[[], T], request: Request | None = None) -> T:
    """What the work returns; wrong usage and Ctrl-C end the program in one sentence, without a traceback."""
    try:
        return work()
    except UsageError as error:
        typer.echo(f"{side.name}: {error}", err=True)
        raise typer.Exit(USAGE) from None
    except KeyboardInterrupt:
        typer.echo(f"\n{side.name}: {_interrupted(request)}", err=True)
        raise typer.Exit(INTERRUPTED) from None


def _interrupted(request: Request | None) -> str:
    if request is None:
        return "interrupted before anything was done"
    if request.command == "report":
        return f"interrupted; the results so far are in {request.reports}, and the same command with --resume continues them"
    if request.command in ("verify", "prove", "time", "converge"):
        return (
            f"interrupted; the results so far are in {request.results_file}, and the same command with --resume continues them"
        )
    return f"interrupted; the results so far are in {request.results_file}"


def _items(side: Side, given: Iterable[str]) -> tuple[str, ...]:
    """The class names of the given items in the order of their declaration, each once."""
    given = list(given)
    if not given:
        return ()
    registry = load(side.registry)
    known = {alias.lower(): name for name, item in registry.items() for alias in (name, item.slug, item.path)}
    for text in given:
        if text.lower() not in known:
            raise UsageError(
                f"unknown item {text!r}; it must be one of {', '.join(registry)}{suggestion(text, list(registry))}"
            )
    chosen = {known[text.lower()] for text in given}
    return tuple(name for name in registry if name in chosen)


def _choices(what: str, given: Iterable[str], allowed: Sequence[str]) -> tuple[str, ...]:
    """The given names in the order of what is allowed, each once."""
    given = list(given)
    for text in given:
        if text not in allowed:
            raise UsageError(
                f"unknown {what} {text!r}; it must be one of {', '.join(allowed)}{suggestion(text, list(allowed))}"
            )
    return tuple(name for name in allowed if name in given)


def _devices(given: Sequence[str]) -> tuple[str, ...]:
    """The given devices, each present; by default the CPU and the accelerator. The CPU alone needs no question to torch."""
    if list(given) == ["cpu"]:
        return ("cpu",)
    from benchkit import devices

    present = devices.available()
    for name in given:
        devices.check(name)
    return tuple(name for name in present if name in given or not given)


def _split(given: Sequence[str] | None) -> list[str]:
    """The words of a repeatable option, each of which may hold several with commas between; UsageError where there is none."""
    words = listed(given or ())
    if given and not words:
        raise UsageError(f"cannot use the empty choice {given[0]!r}; name one thing at least, or leave the option out for all")
    return words


def _size(text: str) -> int:
    try:
        size = float(text)
    except ValueError:
        size = 0.0
    if not (1 <= size < 2**40 and size == int(size)):
        raise UsageError(f"cannot use the size {text!r}; it must be a whole number of elements from 1, such as 1000 or 1e6")
    return int(size)


def _rate(rate: float) -> float:
    if not 0 < rate < float("inf"):
        raise UsageError(f"cannot use the learning rate {rate}; it must be a positive number")
    return rate


def _check_writable(folder: Path) -> None:
    """Make the folder and try to write into it."""
    import tempfile

    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            pass
    except OSError as error:
        raise UsageError(
            f"cannot write into the reports folder {folder}: {error.strerror}; give another with --reports"
        ) from None


def start(side: Side) -> None:
    """Run the command line of one side and leave the process with its exit status."""
    build(side)(prog_name=side.name)
