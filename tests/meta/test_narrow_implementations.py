"""A class in torch's place need not provide for everything: what it lacks is unsupported, what it has is judged."""

from __future__ import annotations

import pytest
from meta import alternatives_narrow

from benchkit import verification
from benchkit.judge import UNSUPPORTED
from benchkit.request import RIGHT, Request
from benchkit.results import read
from lossbench.verify import BENCH as LOSSES
from optimbench.verify import BENCH as OPTIMIZERS


@pytest.mark.parametrize("constructor", alternatives_narrow.CLAIMS, ids=lambda c: c.__name__)
def test_what_is_not_provided_for_is_unsupported(constructor, tmp_path) -> None:
    """The whole verification of each ends well; some checks are unsupported, and numbers were compared."""
    item = alternatives_narrow.CLAIMS[constructor]
    suite, bench = ("lossbench", LOSSES) if item in LOSSES.registry else ("optimbench", OPTIMIZERS)
    impl = f"{constructor.__module__}:{constructor.__name__}"
    request = Request(suite, "verify", (item,), dtypes=("float32",), level="standard", impl=impl, reports=tmp_path)
    status = verification.verify(request, bench)
    found = read(request.results_file).of("check")
    assert [r["message"] for r in found if r["status"] in ("fail", "error")] == []
    assert status == RIGHT
    assert any(r["status"] == UNSUPPORTED for r in found)
    assert sum(r["compared"] for r in found) > 1000
