"""The command line: what it accepts, what it refuses and in which words, and what it hands to the commands."""

from __future__ import annotations

import dataclasses
import subprocess
import sys
import types
from pathlib import Path

import pytest

from benchkit.attribute import load
from benchkit.cli import build
from benchkit.request import DTYPES, LEVELS, Request, UsageError


@pytest.fixture
def recorded(side, monkeypatch):
    """The side with commands that do nothing but keep their request: (side, requests)."""
    requests = []
    recorder = types.ModuleType("recorder")
    recorder.keep = lambda request: requests.append(request) or 0
    monkeypatch.setitem(sys.modules, "recorder", recorder)
    return dataclasses.replace(side, commands=dict.fromkeys(side.commands, "recorder:keep")), requests


def item_names(side):
    return list(load(side.registry))


def test_commands_exist(side):
    """Every command of the description names a function that can be imported."""
    for spec in side.commands.values():
        assert callable(load(spec)), spec


def test_every_command_has_a_help_page(side, cli):
    """Help pages come with exit status 0 and say what the command does."""
    for command in ("list", "show", *side.commands):
        result = cli(side, command, "--help")
        assert result.exit_code == 0
        assert f"Usage: {side.name} {command}" in result.stdout


def test_list_names_every_item(side, cli):
    """The table has a row for each item of the registry."""
    result = cli(side, "list")
    assert result.exit_code == 0
    for name in item_names(side):
        assert name in result.stdout


def test_show_prints_every_declaration(side, cli):
    """Every item can be shown: its docstring, its options, each of its planted bugs and the source of each of its parts."""
    for name, item in load(side.registry).items():
        result = cli(side, "show", name)
        assert result.exit_code == 0
        assert item.path in result.stdout
        assert item.doc.split()[0] in result.stdout
        for option in item.options:
            assert option in result.stdout
        for bug in item.planted_bugs:
            assert bug.name.split()[0] in result.stdout
        assert result.stdout.count("def ") >= len(item.parts())


def test_version(side, cli):
    """The version is that of the installed distribution."""
    from importlib.metadata import version

    assert cli(side, "--version").stdout == f"{side.name} {version('lossbench')}\n"


def test_no_command_prints_help(side, cli):
    """A bare call shows what there is to call."""
    result = cli(side)
    assert result.exit_code in (0, 2)  # typer changed its mind in 0.15
    assert "verify" in result.stdout + result.stderr


def test_an_item_has_four_spellings(recorded, cli, tmp_path):
    """Class name, class name in any case, short name and full path mean the same item."""
    side, requests = recorded
    for name, item in load(side.registry).items():
        for spelling in (name, name.lower(), item.slug, item.path):
            assert cli(side, "verify", spelling, "--reports", str(tmp_path)).exit_code == 0
            assert requests[-1].items == (name,)


def test_items_keep_the_order_of_the_declarations(recorded, cli, tmp_path):
    """The order and the repetitions on the command line do not matter, so that a run can be resumed in other words."""
    side, requests = recorded
    names = item_names(side)[:3]
    cli(side, "verify", *reversed(names), names[0], "--reports", str(tmp_path))
    assert requests[0].items == tuple(names)


def test_verify_request(recorded, cli, tmp_path):
    """Every option of verify arrives in the request."""
    side, requests = recorded
    name = item_names(side)[0]
    words = ["verify", name, "--device", "cpu", "--dtype", "float32,float64", "--dtype", "float16", "--level", "quick"]
    words += [
        "--impl",
        "builtins:dict",
        "--json",
        str(tmp_path / "a.jsonl"),
        "--reports",
        str(tmp_path),
        "--seed",
        "7",
        "--resume",
    ]
    assert cli(side, *words).exit_code == 0
    assert requests == [
        Request(
            suite=side.name,
            command="verify",
            items=(name,),
            devices=("cpu",),
            dtypes=("float64", "float32", "float16"),
            level="quick",
            impl="builtins:dict",
            json=tmp_path / "a.jsonl",
            reports=tmp_path,
            seed=7,
            resume=True,
        )
    ]


def test_default_request(recorded, cli, tmp_path, monkeypatch):
    """Without options: every item, every dtype, every device present, level standard, results under reports/."""
    from benchkit import devices

    monkeypatch.setattr(devices, "available", lambda: ["cpu", "cuda"])
    monkeypatch.chdir(tmp_path)
    side, requests = recorded
    for command in side.commands:
        assert cli(side, command).exit_code == 0
        request = requests[-1]
        devices_of = ("cpu", "cuda") if command in ("verify", "time", "report") else ("cpu",)
        assert request == Request(suite=side.name, command=command, devices=devices_of)
        assert request.results_file == Path("reports") / f"{side.name}-{command}.jsonl"


def test_options_of_one_command(recorded, cli, tmp_path):
    """Sizes, seeds, steps and learning rates travel in ``extra``, and only where they are given."""
    side, requests = recorded
    assert (
        cli(side, "time", "--size", "1000,1e6", "--size", "10", "--dtype", "float16", "--reports", str(tmp_path)).exit_code == 0
    )
    assert requests[-1].extra == {"size": (1000, 1_000_000, 10), "dtypes_given": True}
    if "converge" in side.commands:
        words = ["converge", "--seeds", "4", "--steps", "9", "--lr", "0.1", "--lr", "1e-3", "--reports", str(tmp_path)]
        assert cli(side, *words).exit_code == 0
        assert requests[-1].extra == {"seeds": 4, "steps": 9, "lr": (0.1, 0.001)}


WRONG = {
    "item": (["verify", "NoSuchThing"], "'NoSuchThing'"),
    "item of show": (["show", "NoSuchThing"], "'NoSuchThing'"),
    "dtype": (["verify", "--dtype", "float23"], "'float23'; it must be one of " + ", ".join(DTYPES)),
    "dtype among right ones": (["time", "--dtype", "float32,int8"], "'int8'"),
    "device": (["verify", "--device", "abacus"], "'abacus'; this machine has cpu"),
    "level": (["verify", "--level", "heroic"], "'heroic'; it must be one of " + ", ".join(LEVELS)),
    "size": (["time", "--size", "many"], "'many'"),
    "half an element": (["time", "--size", "0.5"], "'0.5'"),
    "reports folder": (["plot", "--reports", "/dev/null/here"], "/dev/null/here"),
    "implementation without an item": (["verify", "--impl", "builtins:dict"], "exactly one ITEM"),
    "implementation without a colon": (["verify", "{item}", "--impl", "builtins.dict"], "module:attribute"),
    "module of the implementation": (["verify", "{item}", "--impl", "no_such_module:Thing"], "'no_such_module'"),
    "attribute of the implementation": (["verify", "{item}", "--impl", "builtins:Thing"], "'Thing'"),
    "implementation that cannot be called": (["verify", "{item}", "--impl", "math:pi"], "float"),
}


@pytest.mark.parametrize("case", WRONG)
def test_wrong_usage_is_one_sentence(side, cli, tmp_path, monkeypatch, case):
    """Exit status 2, nothing on standard output, one line on standard error that names the input."""
    monkeypatch.chdir(tmp_path)
    words, named = WRONG[case]
    result = cli(side, *(word.format(item=item_names(side)[0]) for word in words))
    assert result.exit_code == 2
    assert result.stdout == ""
    assert named in result.stderr
    assert result.stderr.startswith(f"{side.name}: ")
    assert len(result.stderr.splitlines()) == 1


def test_two_items_for_one_implementation(side, cli, tmp_path):
    """An implementation keeps one contract."""
    names = item_names(side)[:2]
    result = cli(side, "verify", *names, "--impl", "builtins:dict", "--reports", str(tmp_path))
    assert result.exit_code == 2
    assert "exactly one ITEM" in result.stderr


def test_learning_rate_must_be_positive(cli, tmp_path):
    """A learning rate of 0 or below trains nothing."""
    from optimbench.cli import SIDE

    result = cli(SIDE, "converge", "--lr", "-1", "--reports", str(tmp_path))
    assert result.exit_code == 2
    assert "-1.0" in result.stderr


def test_close_names_are_suggested(side, cli, tmp_path):
    """A typing error in an item or a dtype gets the name that was meant."""
    name = item_names(side)[0]
    assert f"did you mean {name}?" in cli(side, "verify", name[:-1] + "x", "--reports", str(tmp_path)).stderr
    assert "did you mean float32?" in cli(side, "verify", "--dtype", "flaot32", "--reports", str(tmp_path)).stderr


def test_implementation_in_the_current_folder(recorded, cli, tmp_path, monkeypatch):
    """A file beside the user is found as ``module:attribute``; what it raises on import is told in one sentence."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", [*sys.path])
    name = f"mine_{recorded[0].name}"
    Path(f"{name}.py").write_text("class Right:\n    Inner = dict\n")
    Path(f"{name}_broken.py").write_text("raise RuntimeError('half written')\n")
    side, requests = recorded
    item = item_names(side)[0]
    assert cli(side, "verify", item, "--impl", f"{name}:Right.Inner").exit_code == 0
    assert requests[-1].impl == f"{name}:Right.Inner"
    result = cli(side, "verify", item, "--impl", f"{name}_broken:Right")
    assert result.exit_code == 2
    assert "RuntimeError: half written" in result.stderr
    monkeypatch.delitem(sys.modules, name)


def stop(error):
    """A command that stops with an error, under the name ``stopper:stop``."""
    module = types.ModuleType("stopper")

    def command(request):
        raise error

    module.stop = command
    return module


def test_interrupt_says_where_the_results_are(side, cli, tmp_path, monkeypatch):
    """Ctrl-C: exit status 130 and a sentence with the results file, and how to go on where the command can."""
    monkeypatch.setitem(sys.modules, "stopper", stop(KeyboardInterrupt()))
    stopped = dataclasses.replace(side, commands=dict.fromkeys(side.commands, "stopper:stop"))
    for command in side.commands:
        result = cli(stopped, command, "--reports", str(tmp_path))
        assert result.exit_code == 130
        assert str(tmp_path) in result.stderr
        assert ("--resume" in result.stderr) == (command in ("verify", "prove", "time", "converge", "report"))


def test_usage_error_of_a_command(side, cli, tmp_path, monkeypatch):
    """What a command finds wrong with its input is told like what the command line finds."""
    monkeypatch.setitem(sys.modules, "stopper", stop(UsageError("the paper is upside down")))
    stopped = dataclasses.replace(side, commands=dict.fromkeys(side.commands, "stopper:stop"))
    result = cli(stopped, "plot", "--reports", str(tmp_path))
    assert (result.exit_code, result.stderr) == (2, f"{side.name}: the paper is upside down\n")


def test_other_errors_are_not_hidden(side, tmp_path, monkeypatch):
    """A fault of the program itself keeps its traceback."""
    monkeypatch.setitem(sys.modules, "stopper", stop(ZeroDivisionError()))
    stopped = dataclasses.replace(side, commands=dict.fromkeys(side.commands, "stopper:stop"))
    with pytest.raises(ZeroDivisionError):
        build(stopped)(["plot", "--reports", str(tmp_path)], standalone_mode=False)


def test_exit_status_is_that_of_the_command(side, cli, tmp_path, monkeypatch):
    """A discrepancy leaves with 1."""
    module = types.ModuleType("finder")
    module.find = lambda request: 1
    monkeypatch.setitem(sys.modules, "finder", module)
    finding = dataclasses.replace(side, commands=dict.fromkeys(side.commands, "finder:find"))
    for command in side.commands:
        assert cli(finding, command, "--reports", str(tmp_path)).exit_code == 1


def test_run_as_a_module(side):
    """``python -m`` works, with the exit status of the command."""
    done = subprocess.run([sys.executable, "-m", side.name, "show", "nothing"], capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert done.stderr.startswith(f"{side.name}: unknown item 'nothing'")
