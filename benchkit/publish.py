"""Make the published gallery of a finished report: ``python -m benchkit.publish [REPORTS [TARGET]]``.

The page, the figures, the reproducers and the results files, these compressed, are copied; what was in the target before goes.
"""

from __future__ import annotations

import gzip
import shutil
import sys
from pathlib import Path

from benchkit import history
from benchkit.request import USAGE, UsageError
from benchkit.site import find, render


def publish(reports: Path, target: Path) -> Path:
    """Copy a finished report to ``target`` and return its page; UsageError where a part of the report did not end."""
    parts = [part for part in find(reports) if part.file]
    unfinished = [part.what for part in parts if part.state != "complete"]
    if not parts or unfinished:
        raise UsageError(
            f"{reports} holds no finished report: {', '.join(unfinished) or 'no results file'}; run `tox run -e report`"
        )
    shutil.rmtree(target, ignore_errors=True)
    target.mkdir(parents=True)
    for part in parts:
        text = (reports / part.file).read_bytes()
        # Without a time stamp inside, so that the same results make the same file.
        (target / f"{part.file}.gz").write_bytes(gzip.compress(text, mtime=0))
    for folder in ("figures", "repro", history.FOLDER):
        if (reports / folder).is_dir():
            shutil.copytree(reports / folder, target / folder)
    return render(target)


if __name__ == "__main__":
    given = [Path(word) for word in sys.argv[1:]]
    try:
        print(publish(*given, *(Path("reports"), Path("reports/published"))[len(given) :]))
    except UsageError as error:
        print(error, file=sys.stderr)
        sys.exit(USAGE)
