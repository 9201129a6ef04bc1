"""The command line of the losses: which commands there are and what each one runs."""

from benchkit.cli import Side, start

SIDE = Side(
    name="lossbench",
    noun="loss functions",
    registry="reference:LOSSES",
    commands={
        "verify": "lossbench.verify:verify",
        "prove": "lossbench.prove:prove",
        "time": "lossbench.timing:time",
        "plot": "lossbench.plots:plot",
        "document": "lossbench.document:document",
        "report": "lossbench.report:report",
    },
)


def main() -> None:
    """Run the command line."""
    start(SIDE)
