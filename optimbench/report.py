"""``report``: the whole job for the optimizers, from verification to the pages."""

from benchkit import stages
from benchkit.request import Request


def report(request: Request) -> int:
    """Verify, reproduce the document, time, converge and plot, then write ``index.html``; the worst exit status counts."""
    return stages.run(
        request,
        {
            "verify": "optimbench.verify:verify",
            "document": "optimbench.document:document",
            "time": "optimbench.timing:time",
            "converge": "optimbench.convergence.command:converge",
            "plot": "optimbench.convergence.plot:plot",
        },
    )
