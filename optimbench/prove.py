"""``optimbench prove``: every planted bug against the checks that must catch it."""

from __future__ import annotations

from benchkit.proving import prove as run
from benchkit.request import Request
from optimbench.verify import BENCH


def prove(request: Request) -> int:
    """Plant every declared bug of the items asked for (default: all); 0 if all are caught, 1 if one survives."""
    return run(request, BENCH)
