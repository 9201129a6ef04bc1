"""What starting costs and who imports whom: the command line without torch, the formulas where torch is not installed."""

from __future__ import annotations

import ast
import resource
import subprocess
import sys
from pathlib import Path

import pytest

import benchkit

ROOT = Path(benchkit.__file__).parent.parent
HEAVY = ("torch", "numpy", "scipy", "matplotlib", "pandas", "rich", "jinja2")
LIMIT_S = 0.3

ALLOWED = {
    "benchkit": {"benchkit"},
    "reference": {"benchkit", "reference"},
    "lossbench": {"benchkit", "reference", "lossbench"},
    "optimbench": {"benchkit", "reference", "optimbench"},
}


def python(code: str) -> str:
    """What a fresh interpreter prints."""
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout


def cost(code: str) -> float:
    """The processor time of a fresh interpreter in seconds, the least of three: its wall time on an idle machine."""
    times = []
    for _ in range(3):
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        python(code)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        times.append(after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)
    return min(times)


def help_of(name: str) -> str:
    return (
        f"import sys; sys.argv = [{name!r}, '--help']\nfrom {name}.__main__ import main\ntry: main()\nexcept SystemExit: pass\n"
    )


@pytest.mark.parametrize("name", ["lossbench", "optimbench"])
def test_import_and_help_are_light(name):
    """Neither the import of a suite nor its help page loads torch or another heavy library."""
    loaded = f"import sys; print([name for name in {HEAVY!r} if name in sys.modules])"
    assert python(f"import {name}; {loaded}") == "[]\n"
    assert python(help_of(name) + loaded).splitlines()[-1] == "[]"


@pytest.mark.parametrize("name", ["lossbench", "optimbench"])
def test_import_and_help_are_quick(name):
    """Under 0.3 s, the start of the interpreter included; processor time, so that a busy machine does not count."""
    assert cost(f"import {name}") < LIMIT_S
    assert cost(help_of(name)) < LIMIT_S


WITHOUT_TORCH = "import sys; sys.modules['torch'] = None\n"  # every later import of torch raises ImportError


def test_reference_needs_no_torch():
    """The formulas are declared and evaluated where torch is not installed."""
    code = """
import numpy as np
import reference
loss = reference.LOSSES["SmoothL1Loss"]
sgd = reference.OPTIMIZERS["SGD"]
p, g = np.array([1.0]), np.array([0.5])
print(loss(np.array([3.0]), np.array([1.0]), beta=1.0)[0])
print(sgd(p, g, sgd.initial_function(p, **sgd.defaults), **sgd.defaults | {"lr": 0.5})[0][0])
"""
    assert python(WITHOUT_TORCH + code) == "1.5\n0.75\n"


def test_list_needs_no_torch(side):
    """``list`` works where torch is not installed."""
    code = f"sys.argv = [{side.name!r}, 'list']\nfrom {side.name}.__main__ import main\nmain()"
    assert "items" in python(WITHOUT_TORCH + code)


def imported(path: Path) -> set[str]:
    """The top-level names of all modules that a file imports, inside functions too."""
    names = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names |= {alias.name.partition(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            names.add(node.module.partition(".")[0])
    return names


@pytest.mark.parametrize("package", ALLOWED)
def test_imports_go_down(package):
    """Each floor of the house imports itself and the floors below it; the two suites do not know of each other."""
    files = sorted((ROOT / package).rglob("*.py"))
    assert files
    for path in files:
        assert imported(path) & set(ALLOWED) <= ALLOWED[package], path


def test_reference_imports_no_torch():
    """Not even inside a function."""
    for path in (ROOT / "reference").rglob("*.py"):
        assert imported(path) <= {*sys.stdlib_module_names, "numpy", "scipy", "benchkit", "reference"}, path


def test_files_are_short():
    """A file that cannot be read in one sitting holds more than one subject."""
    lengths = {
        path: len(path.read_text(encoding="utf-8").splitlines())
        for package in ALLOWED
        for path in (ROOT / package).rglob("*.py")
    }
    assert {path: n for path, n in lengths.items() if n > 420} == {}
