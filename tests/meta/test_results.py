"""Results files: what is written is what is read, wherever the writer was killed."""

from __future__ import annotations

import dataclasses
import json
import math
import subprocess
import sys

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from benchkit.request import Request, UsageError
from benchkit.results import SCHEMA, Run, environment, read


@pytest.fixture
def request_(tmp_path):
    """A request whose results lie in the test's own folder."""
    return Request("lossbench", "verify", items=("Adam",), reports=tmp_path)


def resumed(request, **changes):
    return dataclasses.replace(request, resume=True, **changes)


def same(a, b):
    """Equality in which NaN equals itself and an integer is not a float."""
    if isinstance(a, dict):
        return a.keys() == b.keys() and all(same(a[key], b[key]) for key in a)
    if isinstance(a, list):
        return len(a) == len(b) and all(map(same, a, b))
    return type(a) is type(b) and (a == b or (a != a and b != b))


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text().filter(lambda text: text not in ("inf", "-inf", "nan")),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=8,
)


@settings(max_examples=40)
@given(value=VALUES)
def test_round_trip(tmp_path_factory, value):
    """Every value comes back as it was, infinities and NaN too, in the file and from write()."""
    request = Request("lossbench", "verify", reports=tmp_path_factory.mktemp("reports"))
    with Run.open(request) as run:
        written = run.write("check", "a", value=value)
    assert same(read(run.path).records, [{"kind": "check", "id": "a", "value": value}])
    assert same(written["value"], value)


def test_lines_are_strict_json(request_):
    """Other readers need no extension of JSON: there is no bare NaN or Infinity in the file."""

    def refuse(word):
        raise AssertionError(word)

    with Run.open(request_) as run:
        run.write("check", "a", ratio=math.inf, losses=[math.nan, -math.inf, np.float32(0.5), np.arange(2)])
    for line in run.path.read_text(encoding="utf-8").splitlines():
        json.loads(line, parse_constant=refuse)
    assert same(read(run.path).records[0]["losses"], [math.nan, -math.inf, 0.5, [0, 1]])


def test_text_fields_stay_text(request_):
    """The option p=inf is text in a record and does not turn into a number."""
    with Run.open(request_) as run:
        run.write("check", "a", options={"p": "inf"}, printed="nan", got="nan", message=["inf"])
    (record,) = read(run.path).records
    assert (record["options"], record["printed"], record["got"], record["message"]) == ({"p": "inf"}, "nan", "nan", ["inf"])


def test_what_json_cannot_hold_is_refused(request_):
    """An object without a JSON form is an error at once, and leaves no half line behind."""
    with Run.open(request_) as run:
        with pytest.raises(TypeError, match="object"):
            run.write("check", "a", value=object())
        run.write("check", "b")
    assert [record["id"] for record in read(run.path).records] == ["b"]


def test_header_tells_what_ran_where(request_):
    """The header has the request, the environment and whatever the command adds."""
    with Run.open(request_, lanes=("exact", "edge")) as run:
        header = read(run.path).header
    assert header["schema"] == SCHEMA
    assert (header["suite"], header["command"], header["items"], header["seed"]) == ("lossbench", "verify", ["Adam"], 0)
    assert header["lanes"] == ["exact", "edge"]
    assert {"version", "python", "torch", "numpy", "scipy", "platform", "cpu", "cores", "threads", "devices", "flags"} <= set(
        header["environment"]
    )
    assert environment()["devices"]["cpu"] == header["environment"]["devices"]["cpu"] != ""


def test_records_are_flushed_one_by_one(request_):
    """A reader sees every record as soon as write() has returned."""
    with Run.open(request_) as run:
        for n in range(3):
            run.write("check", str(n))
            assert len(read(run.path).records) == n + 1
            assert not read(run.path).ended
        run.end(failed=0)
        assert read(run.path).ended
    assert read(run.path).summary["failed"] == 0


def test_done_knows_kinds_apart(request_):
    """An id is done for the kind that it was written as."""
    with Run.open(request_) as run:
        run.write("check", "a")
        assert run.done("check") == {"a"}
        assert run.done("time") == set()


def test_of_selects_a_kind(request_):
    """of() keeps the order of the file."""
    with Run.open(request_) as run:
        for kind, id in (("check", "a"), ("time", "b"), ("check", "c")):
            run.write(kind, id)
    assert [record["id"] for record in read(run.path).of("check")] == ["a", "c"]


def test_killed_at_any_byte(request_):
    """Wherever the file was cut, it reads as the whole records before the cut, and a resumed run completes it."""
    with Run.open(request_) as run:
        for n in range(3):
            run.write("check", str(n), text="ä\n")
        run.end()
    whole = run.path.read_bytes()
    expected = read(run.path).records
    starts = [n for n, byte in enumerate(whole) if byte == ord("\n")]  # line k is complete from byte starts[k] + 1 on
    cuts = sorted({0, 1, *(start + d for start in starts for d in (-1, 0, 1, 2)), len(whole)} - {len(whole) + 1})
    for cut in cuts:
        run.path.write_bytes(whole[:cut])
        complete = sum(cut > start for start in starts)
        assert len(read(run.path).records) == min(max(complete - 1, 0), 3)
        with Run.open(resumed(request_)) as again:
            assert again.records == expected[: max(complete - 1, 0)]
            for record in expected[len(again.records) :]:
                again.write("check", record["id"], text=record["text"])
            again.end()
        assert read(run.path).records == expected
        assert read(run.path).ended


def test_torn_line_with_its_newline(request_):
    """Some file systems keep the end of a write and lose its middle; such a last line is dropped too."""
    with Run.open(request_) as run:
        run.write("check", "a")
    with run.path.open("ab") as file:
        file.write(b"\0\0\0\n")
    assert len(read(run.path).records) == 1
    with Run.open(resumed(request_)) as again:
        again.write("check", "b")
    assert [record["id"] for record in read(run.path).records] == ["a", "b"]


def test_killed_process_leaves_a_readable_file(request_):
    """kill -9 in the middle of a run: the records that were written are there, the run is not ended."""
    code = f"""
import os, signal, pathlib
from benchkit.request import Request
from benchkit.results import Run
with Run.open(Request("lossbench", "verify", items=("Adam",), reports=pathlib.Path({str(request_.reports)!r}))) as run:
    for n in range(5):
        run.write("check", str(n))
    os.kill(os.getpid(), signal.SIGKILL)
"""
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode < 0
    results = read(request_.results_file)
    assert [record["id"] for record in results.records] == list("01234")
    assert not results.ended


def test_resume_of_an_ended_run_reopens_it(request_):
    """There is one closing record, and it is the last line."""
    for _ in range(2):
        with Run.open(resumed(request_)) as run:
            if "a" not in run.done("check"):
                run.write("check", "a")
            run.end()
    lines = request_.results_file.read_text(encoding="utf-8").splitlines()
    assert [json.loads(line)["kind"] for line in lines] == ["header", "check", "end"]


def test_without_resume_the_file_starts_anew(request_):
    """A new run does not mix with an old one."""
    with Run.open(request_) as run:
        run.write("check", "a")
    with Run.open(request_) as run:
        assert run.records == []
    assert read(run.path).records == []


OTHER = {
    "seed": {"seed": 1},
    "level": {"level": "quick"},
    "devices": {"devices": ("cpu", "cuda")},
    "dtypes": {"dtypes": ("float32",)},
    "items": {"items": ("SGD",)},
    "impl": {"impl": "a:b"},
    "extra": {"extra": {"steps": 3}},
}


@pytest.mark.parametrize("name", OTHER)
def test_another_run_is_not_continued(request_, tmp_path, name):
    """Records of two different runs never share a file; the sentence names what differs, and the file is left as it was."""
    Run.open(request_).__exit__()
    before = request_.results_file.read_bytes()
    with pytest.raises(UsageError, match=f"made with {name} "):
        Run.open(resumed(request_, **OTHER[name]))
    assert request_.results_file.read_bytes() == before


def test_another_torch_is_not_continued(request_):
    """Half of the records from one torch and half from another would be evidence of nothing."""
    Run.open(request_).__exit__()
    path = request_.results_file
    header = json.loads(path.read_text(encoding="utf-8"))
    header["environment"]["torch"] = "1.0.0"
    path.write_text(json.dumps(header) + "\n", encoding="utf-8")
    with pytest.raises(UsageError, match=r"made with torch 1\.0\.0"):
        Run.open(resumed(request_))


HEADER = json.dumps({"kind": "header", "schema": SCHEMA})

BAD = {
    "a newer schema": (json.dumps({"kind": "header", "schema": SCHEMA + 1}) + "\n", "schema"),
    "no schema": ('{"kind": "header"}\n', "schema"),
    "no header": ('{"kind": "check", "id": "a"}\n', "line 1 is not a header"),
    "two headers": (f"{HEADER}\n{HEADER}\n", "line 2 is not a record"),
    "a damaged line in the middle": (f'{HEADER}\n{{"kind"\n{{"kind": "check", "id": "a"}}\n', "line 2 is not JSON"),
    "a line that is no object": (f"{HEADER}\n7\n", "line 2 is not a record"),
}


@pytest.mark.parametrize("case", BAD)
def test_other_files_are_refused(tmp_path, case):
    """A file that is no results file, or that a newer version wrote, is wrong usage and not a short run."""
    text, message = BAD[case]
    path = tmp_path / "results.jsonl"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(UsageError, match=message) as caught:
        read(path)
    assert str(path) in str(caught.value)


def test_absent_file(tmp_path):
    """There is nothing to read: the sentence names the file."""
    with pytest.raises(UsageError, match=r"none\.jsonl"):
        read(tmp_path / "none.jsonl")


def test_file_that_cannot_be_written(request_, tmp_path):
    """A folder in the place of the file is wrong usage."""
    with pytest.raises(UsageError, match=str(tmp_path)):
        Run.open(dataclasses.replace(request_, json=tmp_path))
