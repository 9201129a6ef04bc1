"""The command line of the optimizers: which commands there are and what each one runs."""

from benchkit.cli import Side, start

SIDE = Side(
    name="optimbench",
    noun="optimizers",
    registry="reference:OPTIMIZERS",
    commands={
        "verify": "optimbench.verify:verify",
        "prove": "optimbench.prove:prove",
        "time": "optimbench.timing:time",
        "converge": "optimbench.convergence.command:converge",
        "plot": "optimbench.convergence.plot:plot",
        "document": "optimbench.document:document",
        "report": "optimbench.report:report",
    },
)


def main() -> None:
    """Run the command line."""
    start(SIDE)
