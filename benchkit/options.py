"""The arguments and options of the command line, each as it is read and as the help page shows it."""

from pathlib import Path
from typing import Annotated

import typer

from benchkit.request import DTYPES, LEVELS


def _print_version(context: typer.Context, asked: bool) -> None:
    if asked:
        from importlib.metadata import version

        typer.echo(f"{context.info_name} {version('lossbench')}")
        raise typer.Exit()


Version = Annotated[bool, typer.Option("--version", callback=_print_version, is_eager=True, help="Show the version.")]
Items = Annotated[
    list[str] | None,
    typer.Argument(
        metavar="ITEM", help="Classes: SmoothL1Loss, smooth_l1 or torch.nn.SmoothL1Loss; NAdam, nadam... (default: all)."
    ),
]
Devices = Annotated[
    list[str] | None, typer.Option("--device", metavar="D", help="Device, repeatable (default: the CPU and the accelerator).")
]
Dtypes = Annotated[
    list[str] | None, typer.Option("--dtype", metavar="T", help=f"Number format, repeatable (default: {', '.join(DTYPES)}).")
]
TimedDtypes = Annotated[
    list[str] | None, typer.Option("--dtype", metavar="T", help="Number format, repeatable (default: by level).")
]
Level = Annotated[str, typer.Option("--level", metavar="L", help=f"How thorough: {', '.join(LEVELS)}.")]
Impl = Annotated[
    str | None,
    typer.Option("--impl", metavar="MODULE:ATTRIBUTE", help="Test this class in place of torch's; give exactly one ITEM."),
]
Json = Annotated[Path | None, typer.Option("--json", metavar="FILE", help="Results file (default: in the reports folder).")]
Reports = Annotated[Path, typer.Option("--reports", metavar="DIR", help="Folder for results, figures and reproducers.")]
Seed = Annotated[int, typer.Option("--seed", min=0, metavar="N", help="Seed of the drawn inputs.")]
Resume = Annotated[bool, typer.Option("--resume", help="Continue the results file of an interrupted run.")]
Sizes = Annotated[list[str] | None, typer.Option("--size", metavar="N", help="Elements, repeatable: 1000 or 1e6.")]
Operations = Annotated[list[str] | None, typer.Option("--operation", metavar="O", help="What to time, repeatable: forward.")]
Paths = Annotated[
    list[str] | None,
    typer.Option("--path", metavar="P", help="Implementation, repeatable: eager, compiled, numpy; forloop, foreach, fused."),
]
Workloads = Annotated[
    list[str] | None,
    typer.Option("--workload", metavar="W", help="Lengths of a row or a set of parameters, repeatable: C=1000, MLP."),
]
Against = Annotated[
    str | None,
    typer.Option("--against", metavar="MODULE:ATTRIBUTE", help="Time this class in pairs with torch's; give exactly one ITEM."),
]
Compare = Annotated[
    Path | None, typer.Option("--compare", metavar="FILE", help="Time again what this results file has, and compare ratios.")
]
Allocator = Annotated[
    str, typer.Option("--allocator", metavar="A", help="Memory of the CPU: system, or keep, which glibc does not give back.")
]
Seeds = Annotated[int | None, typer.Option("--seeds", min=1, metavar="N", help="Number of seeds for each curve.")]
Steps = Annotated[int | None, typer.Option("--steps", min=1, metavar="N", help="Number of steps for each curve.")]
Rates = Annotated[
    list[float] | None,
    typer.Option("--lr", metavar="X", help="Learning rate for the protocol same, repeatable."),
]
Problems = Annotated[
    list[str] | None, typer.Option("--problem", metavar="P", help="Problem, repeatable, or all (default: the document's).")
]
Protocols = Annotated[
    list[str] | None, typer.Option("--protocol", metavar="P", help="same, default or tuned, repeatable (default: all three).")
]
Own = Annotated[
    list[str] | None,
    typer.Option("--optimizer", metavar="MODULE:ATTRIBUTE", help="Add a class with the interface of torch.optim, repeatable."),
]
Grid = Annotated[str | None, typer.Option("--grid", metavar="G", help="Learning rates to tune over, such as lr=1e-4:1:log9.")]
Second = Annotated[
    str | None, typer.Option("--second", metavar="G", help="Another hyperparameter to tune, such as momentum=0,0.9.")
]
Scheduler = Annotated[
    str | None, typer.Option("--scheduler", metavar="tcp://HOST:PORT", help="Train on the workers of a dask scheduler.")
]
OneDevice = Annotated[str, typer.Option("--device", metavar="D", help="Device to train on.")]
