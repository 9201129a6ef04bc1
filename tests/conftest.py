"""What all tests share: the command lines run in this process, and hypothesis without chance or deadline."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from hypothesis import settings
from typer.testing import CliRunner, Result

import lossbench.cli
import optimbench.cli
from benchkit.attribute import lacking
from benchkit.cli import Side, build
from benchkit.spec import Item
from reference import LOSSES, OPTIMIZERS

settings.register_profile("repeatable", derandomize=True, deadline=None, database=None)
settings.load_profile("repeatable")

ITEMS: dict[str, Item] = {**LOSSES, **OPTIMIZERS}
SIDES = {side.name: side for side in (lossbench.cli.SIDE, optimbench.cli.SIDE)}


@pytest.fixture(params=SIDES)
def side(request: pytest.FixtureRequest) -> Side:
    """Each of the two suites."""
    return SIDES[request.param]


@pytest.fixture
def there(request: pytest.FixtureRequest) -> None:
    """Skips a test of an item, which a parameter names or is, where the installed torch has no such class."""
    for value in request.node.callspec.params.values():
        item = value if isinstance(value, Item) else ITEMS.get(value) if isinstance(value, str) else None
        if item is not None and (reason := lacking(item, "to test")):
            pytest.skip(reason)


@pytest.fixture
def cli() -> Callable[..., Result]:
    """Run a command line, ``cli(side, "verify", "Adam")``: the result has exit_code, stdout and stderr."""

    def run(side: Side, *words: str) -> Result:
        result = CliRunner().invoke(build(side), list(words), prog_name=side.name)
        if result.exception and not isinstance(result.exception, SystemExit):
            raise result.exception
        return result

    return run
