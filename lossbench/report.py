"""``report``: the whole job for the losses, from verification to the pages."""

from benchkit import stages
from benchkit.request import Request


def report(request: Request) -> int:
    """Verify, reproduce the document, time and plot, then write ``index.html``; the exit status is the worst of them."""
    return stages.run(
        request,
        {
            "verify": "lossbench.verify:verify",
            "document": "lossbench.document:document",
            "time": "lossbench.timing:time",
            "plot": "lossbench.plots:plot",
        },
    )
