"""The page: made from the results files alone, complete, escaped, and loading nothing from anywhere."""

import html.parser
import itertools
import re

import numpy as np
import pytest

import reference
from benchkit import figures, publish, site, site_tables
from benchkit.request import DTYPES, Request, UsageError
from benchkit.results import Run

HOSTILE = '<script>alert(\'x\')</script><img src=https://evil.example/x.png onerror="y"> & "quotes" {{ 7 * 7 }}'
STATUSES = ("pass", "marginal", "fail", "waived", "shared", "error", "unsupported", "absent")


def check(run, item, dtype, path, status="pass", ratio=0.61, case="forward-mean", **more):
    """Write one check record."""
    fields = {
        "item": item,
        "check": "forward",
        "device": "cpu",
        "dtype": dtype,
        "path": path,
        "lane": "ordinary",
        "reduction": "mean",
        "options": {},
        "variant": "",
        "shape": (4, 5),
        "status": status,
        "compared": 20,
        "ratio": ratio,
        "message": [],
        "waiver": None,
        "repro": None,
    }
    return run.write("check", f"{item}-{case}-{dtype}-cpu-{path}-{status}", **(fields | more))


def write_verification(suite, items, reports, end=True):
    """Every status at least once, the passes in every dtype and path."""
    waivers = {
        "nan-at-tie": {
            "reason": "NaN where input equals target",
            "link": "https://github.com/pytorch/pytorch/issues/96813",
            "expires": "2027-06-30",
        }
    }
    paths = ("eager",) if suite == "lossbench" else ("forloop", "foreach", "fused")
    message = ["worst element out[3] of 20", "expected 0x1.8p+1", "got      0x1.9p+1", "ratio 41.2 of the bound 3.1e-08"]
    with Run.open(Request(suite, "verify", reports=reports)) as run:
        for name, fields in waivers.items():
            run.write("waiver", name, **fields)
        for item, dtype, path in itertools.product(items, DTYPES, paths):
            for number in range(3):
                check(run, item, dtype, path, ratio=0.2 + 0.1 * number, case=f"forward-s{number}")
        first, second = items[:2]
        check(run, first, "float32", paths[0], "marginal", 2.03)
        check(run, first, "float16", paths[0], "waived", float("inf"), waiver="nan-at-tie", message=message)
        check(run, first, "bfloat16", paths[0], "shared", float("nan"), waiver="nan-at-tie")
        check(run, second, "float64", paths[0], "fail", 41.2, message=message, repro="repro/case.py")
        check(run, second, "bfloat16", paths[0], "error", None, message=["compared nothing"], compared=0)
        check(run, second, "float16", paths[-1], "unsupported", None, message=["not implemented for 'Half'"], compared=0)
        check(run, second, "float16", paths[-1], "absent", None, compared=0)
        if end:
            run.end(checks=1)


def write_times(suite, items, reports, devices=("cpu",)):
    """Times that grow with the size; the second device has a constant start and a hundredth of the slope."""
    rows = (
        [("forward", "eager"), ("forward+backward", "eager")]
        if suite == "lossbench"
        else [("step", "forloop"), ("step", "fused")]
    )
    with Run.open(Request(suite, "time", devices=devices, reports=reports)) as run:
        for item, (operation, path), device, size in itertools.product(items, rows, devices, (10**3, 10**5, 10**7)):
            names = {"item": item, "operation": operation, "path": path, "device": device, "dtype": "float32", "size": size}
            record_id = f"{item}-{operation}-{path}-{device}-{size}"
            if size == 10**7 and item == items[0]:
                run.write("time", record_id, **names, elements=size, status="skipped", reason="would take about 3.10 s")
                continue
            cpu, other = 4e-6 + size * 1e-9, 2e-5 + size * 1e-11
            median = cpu if device == "cpu" else other
            pairs = {"device": "cpu", "path": path, "ratio": other / cpu, "verdict": "faster"}
            pairs |= {"ratio_low": 0.9 * other / cpu, "ratio_high": 1.1 * other / cpu}
            run.write(
                "time",
                record_id,
                **names,
                elements=size,
                status="measured",
                median_s=median,
                iqr_s=median / 20,
                bytes=12 * size,
                gb_per_s=12 * size / median / 1e9,
                samples=9,
                threads=2,
                **({} if device == "cpu" else {"versus": pairs}),
            )
        run.end()


def write_others(reports):
    """The document, planted bugs, curves and two figures."""
    with Run.open(Request("lossbench", "document", reports=reports)) as run:
        fields = {"section": "3.5.7", "what": "KLDivLoss()", "printed": "-0.3335", "expected": True, "item": "KLDivLoss"}
        run.write("document", "a", **fields, got="-0.3335", verdict="same", reason="")
        run.write("document", "b", **fields, got="raises ValueError: no", verdict="drifted", reason="the target must be 1-D")
        run.end()
    with Run.open(Request("optimbench", "prove", reports=reports)) as run:
        fields = {"item": "Adam", "part": "step", "thread": "78807", "by": "adam-step-float64", "ratio": 1e12}
        run.write("mutant", "a", bug="eps inside the root", status="caught", **fields)
        run.write("mutant", "c", bug="the reference", status="passed", **(fields | {"by": None, "ratio": None}))
        run.write("mutant", "b", bug="amsgrad forgets", status="survived", **(fields | {"by": None, "ratio": 0.4}))
        run.end()
    with Run.open(Request("optimbench", "converge", reports=reports)) as run:
        run.write("prepared", "beale/Adam", problem="beale", label="Adam", path="stack", why="equal")
        run.write("prepared", "beale/Muon", problem="beale", label="Muon", path="", why="it takes matrices only")
        run.write("failure", "beale/tuned/Mine", message="Mine on beale could not be trained: it raised")
        run.end()
    with Run.open(Request("optimbench", "plot", reports=reports)) as run:
        rows = [("SGD", "0.0703", "b"), ("SGD, momentum 0.9", "0.0126", "a"), ("Adam", "0.0104", "a")]
        fields = {"title": "Parabola, same", "group": "Parabola", "section": "convergence", "notes": ["Median over 4 seeds."]}
        run.write("table", "parabola-same", columns=("optimizer", "final", "group"), rows=rows, **fields)
        run.end()
    with Run.open(Request("lossbench", "plot", reports=reports)) as run:
        for stem in ("smooth-l1-against-l1", "card-mse"):
            figure, (axes,) = figures.panels(size=(6.0, 3.0))
            axes.plot(np.linspace(-1, 1, 50), np.linspace(-1, 1, 50) ** 2)
            axes.set(xlabel="x - y", ylabel="loss")
            figures.save(
                figure,
                reports,
                stem,
                title=stem,
                caption="Loss against difference.",
                alt="A parabola.",
                group="The document",
                run=run,
            )
        run.end()


@pytest.fixture(scope="module")
def full(tmp_path_factory):
    """A folder with every kind of record on both sides, and its page."""
    reports = tmp_path_factory.mktemp("reports")
    (reports / "repro").mkdir()
    (reports / "repro" / "case.py").write_text("print('a case')\n")
    write_verification("lossbench", sorted(reference.LOSSES), reports)
    write_verification("optimbench", sorted(reference.OPTIMIZERS), reports, end=False)
    write_times("lossbench", sorted(reference.LOSSES), reports)
    write_times("optimbench", sorted(reference.OPTIMIZERS), reports, devices=("cpu", "cuda"))
    write_others(reports)
    return site.render(reports)


class Page(html.parser.HTMLParser):
    """The elements of a page with their attributes, and its text without styles."""

    def __init__(self, path):
        super().__init__()
        self.elements, self.texts, self.open = [], [], []
        self.feed(path.read_text(encoding="utf-8"))
        self.close()
        self.text = " ".join(" ".join(self.texts).split())

    def handle_starttag(self, tag, attrs):
        self.elements.append((tag, dict(attrs)))
        if tag not in ("meta", "img", "br", "link", "input", "hr"):
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open, f"</{tag}> closes nothing"
        assert self.open.pop() == tag

    def handle_data(self, data):
        if "style" not in self.open:
            self.texts.append(data)

    def all(self, tag):
        return [attributes for name, attributes in self.elements if name == tag]


def test_page_shows_every_kind_of_record(full):
    """One word of each record kind is on the page, in its section."""
    text = Page(full).text

    for word in (
        "Something is wrong",
        "Losses on cpu",
        "Optimizers on cpu",
        "worst element out[3] of 20",
        "NaN where input equals target",
        "2.03",
        "not implemented for 'Half'",
        "the target must be 1-D",
        "amsgrad forgets",
        "Optimizers: 1 of 2 caught",
        "SGD, momentum 0.9",
        "Muon on beale: it takes matrices only",
        "Mine on beale could not be trained",
        "Loss against difference.",
        "would take about 3.10 s",
        "No CUDA device was there",
        "device wins from",
        "2 CPU threads",
        "the run did not come to its end",
    ):
        assert word in text


def test_page_is_well_formed_and_accessible(full):
    """Every element is closed, ids are unique and linked, tables have captions and scopes, pictures have words."""
    page = Page(full)
    ids = [attributes["id"] for _, attributes in page.elements if "id" in attributes]

    assert page.open == []
    assert len(ids) == len(set(ids))
    assert {link["href"][1:] for link in page.all("a") if link["href"].startswith("#")} <= set(ids)
    assert len(page.all("caption")) == len(page.all("table"))
    assert all("scope" in heading for heading in page.all("th"))
    assert page.all("img")
    assert all(image["alt"] for image in page.all("img"))


def test_page_loads_nothing(full):
    """No script, no style sheet, no frame; pictures are data; a web address occurs as a plain link alone."""
    page = Page(full)
    text = full.read_text(encoding="utf-8")

    assert not {"script", "link", "iframe", "object", "embed", "base", "form", "video", "audio"} & {
        tag for tag, _ in page.elements
    }
    assert all(image["src"].startswith("data:image/png;base64,") for image in page.all("img"))
    assert not re.search(r"url\(|@import", text)
    addresses = [(tag, name) for tag, attributes in page.elements for name, value in attributes.items() if "://" in str(value)]
    assert set(addresses) == {("a", "href")}


def test_relative_links_lead_to_files(full):
    """Results files, reproducers and vector pictures that the page links are in the folder."""
    links = {link["href"] for link in Page(full).all("a") if not re.match(r"#|https?://", link["href"])}

    assert {"lossbench-verify.jsonl", "repro/case.py", "figures/card-mse.svg"} <= links
    assert all((full.parent / link).is_file() for link in links)


def test_matrix_cell_shows_the_worst_status_and_its_counts(full):
    """A cell counts what was checked; its ratio leaves out what is waived."""
    part = next(part for part in site.find(full.parent) if (part.suite, part.command) == ("lossbench", "verify"))
    (matrix,) = site_tables.matrices(part.of("check"))
    first, second = sorted(reference.LOSSES)[:2]

    assert matrix.dtypes == list(DTYPES)
    assert not matrix.by_path
    assert list(matrix.rows) == sorted(reference.LOSSES, key=str.lower)
    cells = {(item, dtype): cell for item in (first, second) for dtype, cell in matrix.rows[item]["eager"].items()}
    shown = {key: (cell.status, cell.checked, cell.ratio) for key, cell in cells.items()}
    assert shown[first, "float64"] == ("pass", 3, 0.4)
    assert shown[first, "float32"] == ("marginal", 4, 2.03)
    assert shown[first, "float16"] == ("waived", 4, 0.4)
    assert shown[first, "bfloat16"] == ("shared", 4, 0.4)
    assert shown[second, "float64"] == ("fail", 4, 41.2)
    assert shown[second, "bfloat16"] == ("error", 4, 0.4)
    assert shown[second, "float16"] == ("pass", 3, 0.4)


@pytest.mark.parametrize("status", STATUSES)
def test_every_status_is_told_by_word_and_symbol(full, status):
    """Colour is never the only sign."""
    assert site_tables.SYMBOLS[status]
    assert status in site_tables.WORST_FIRST
    assert f"{site_tables.SYMBOLS[status]} {status}" in Page(full).text


def test_empty_folder_names_the_commands(tmp_path):
    """A page without any results says of every part that it was not run, and which command makes it."""
    text = Page(site.render(tmp_path)).text

    assert "The report is not complete" in text
    for suite in ("lossbench", "optimbench"):
        for command in ("verify", "document", "time", "plot", "prove"):
            assert f"{suite} {command}" in text
    assert "optimbench converge" in text
    assert "lossbench converge" not in text
    assert text.count("not run.") >= 10


def test_folder_that_is_not_there_is_made(tmp_path):
    assert site.render(tmp_path / "new").is_file()


def test_right_results_make_a_right_page(tmp_path):
    """With every part complete and nothing wrong the banner says so; planted bugs are not asked of a report."""
    for suite, command in itertools.product(site.NOUNS, site.COMMANDS):
        if command != "prove" and site.ONLY.get(command, suite) == suite:
            with Run.open(Request(suite, command, reports=tmp_path)) as run:
                if command == "verify":
                    check(run, "L1Loss", "float32", "eager")
                run.end()
    page = Page(site.render(tmp_path))

    assert "Everything that was checked is right." in page.text
    assert "Something is wrong" not in page.text


@pytest.mark.parametrize(
    "write",
    [
        lambda run: check(run, "L1Loss", "float32", "eager", "fail"),
        lambda run: check(run, "L1Loss", "float32", "eager", "error"),
        lambda run: run.write("mutant", "a", item="A", bug="b", part="", thread="", status="survived", by=None, ratio=None),
        lambda run: run.write("mutant", "a", item="A", bug="none", part="", thread="", status="failed", by="x", ratio=9.0),
        lambda run: run.write(
            "document", "a", section="", what="", printed="", got="x", verdict="drifted", reason="", expected=False
        ),
    ],
    ids=["fail", "error", "survivor", "control", "unexpected drift"],
)
def test_one_discrepancy_turns_the_banner(tmp_path, write):
    """Whatever makes a command exit with 1 makes the page say that something is wrong."""
    command = "verify"
    with Run.open(Request("lossbench", command, reports=tmp_path)) as run:
        write(run)
        run.end()

    assert "Something is wrong" in Page(site.render(tmp_path)).text


def test_many_findings_are_folded_and_counted(tmp_path):
    """A few failures of an item are open, some more unfold, and the rest are in the named file."""
    with Run.open(Request("lossbench", "verify", reports=tmp_path)) as run:
        for number in range(site.MOST_CASES + 7):
            check(run, "L1Loss", "float32", "eager", "fail", 9.0, case=f"case{number}")
        run.end()
    page = Page(site.render(tmp_path))

    assert len([article for article in page.all("article") if "fail" in article["class"]]) == site.MOST_CASES
    assert f"{site.MOST_CASES - site.OPEN_CASES} more of L1Loss" in page.text
    assert "7 more of L1Loss are in lossbench-verify.jsonl" in page.text


def test_defects_of_both_sides_are_shown_worst_first(tmp_path):
    """A crash of an optimizer stands before what a loss does wrong, each with its reproducer; what has no finding is last."""
    severe = {"lossbench": [("a", "documentation"), ("b", "NaN")], "optimbench": [("c", "crash"), ("d", ""), ("e", "NaN")]}
    for suite, defects in severe.items():
        with Run.open(Request(suite, "verify", reports=tmp_path)) as run:
            for name, _ in defects:
                check(run, "Adam", "float32", "forloop", "waived", waiver=name, case=name)
            told = {name: {"title": f"title {name}", "severity": how, "item": ["Adam"], "path": [], "dtype": [], "device": [],
                           "definition": "", "torch": "", "link": "", "versions": "", "reproducer": f"assert {name!r}"}
                    for name, how in defects if how}  # fmt: skip
            run.end(waivers={name: {"reason": f"reason {name}", "finding": name} for name, _ in defects}, findings=told)
    text = Page(site.render(tmp_path)).text

    assert "1 crash · 2 NaN · 1 documentation" in text
    places = [text.index(words) for words in ("title c", "title b", "title e", "title a", "reason d")]
    assert places == sorted(places)
    assert all(f"assert '{name}'" in text for name in "abce")


def test_complaint_about_a_waiver_turns_the_banner(tmp_path):
    with Run.open(Request("lossbench", "verify", reports=tmp_path)) as run:
        run.end(problems=["waiver 'x' expired on 2020-01-01"], waivers={"x": {"reason": "unused"}})
    text = Page(site.render(tmp_path)).text

    assert "Something is wrong" in text
    assert "waiver 'x' expired on 2020-01-01" in text


def test_unreadable_file_is_named(tmp_path):
    """A damaged results file is told on the page, and the others are shown."""
    (tmp_path / "lossbench-verify.jsonl").write_text("not JSON\nat all\n")
    write_times("lossbench", ["L1Loss", "MSELoss"], tmp_path)
    text = Page(site.render(tmp_path)).text

    assert "could not be read" in text
    assert "its line 1 is not JSON" in text
    assert "Losses on cpu" in text


def test_several_files_of_one_command_are_all_shown(tmp_path):
    """Results of another machine lie beside the first as <suite>-<command>-<anything>.jsonl."""
    write_times("lossbench", ["L1Loss"], tmp_path)
    (tmp_path / "lossbench-time.jsonl").rename(tmp_path / "lossbench-time-gpu.jsonl")
    write_times("lossbench", ["MSELoss"], tmp_path)
    files = [part.file for part in site.find(tmp_path) if part.command == "time" and part.suite == "lossbench"]

    assert files == ["lossbench-time-gpu.jsonl", "lossbench-time.jsonl"]


def test_hostile_text_is_escaped(tmp_path):
    """No text of a results file becomes an element, an address or a template."""
    url = "javascript:alert(1)"
    (tmp_path / "outside.png").write_bytes(b"secret")
    (tmp_path / "secret.py").write_text("secret")
    tmp_path = tmp_path / "reports"
    with Run.open(Request("lossbench", "verify", reports=tmp_path), waivers={HOSTILE: {"reason": HOSTILE, "link": url}}) as run:
        for status in STATUSES:
            check(run, HOSTILE, HOSTILE, HOSTILE, status, message=[HOSTILE], waiver=HOSTILE, repro="../secret.py", case=HOSTILE)
        run.end(problems=[HOSTILE])
    with Run.open(Request("lossbench", "document", reports=tmp_path)) as run:
        run.write(
            "document", "a", section=HOSTILE, what=HOSTILE, printed=HOSTILE, got=HOSTILE, verdict="drifted", reason=HOSTILE
        )
        run.end()
    with Run.open(Request("lossbench", "plot", reports=tmp_path)) as run:
        fields = dict.fromkeys(("title", "caption", "alt", "group"), HOSTILE)
        run.write("figure", "a", file="../outside.png", svg="https://evil.example/x.svg", **fields)
        run.end()
    with Run.open(Request("lossbench", "prove", reports=tmp_path)) as run:
        fields = dict.fromkeys(("item", "bug", "part", "thread", "by"), HOSTILE)
        run.write("mutant", "a", status="caught", ratio=1.0, **fields)
        run.end()
    page = Page(site.render(tmp_path))
    addresses = {link["href"] for link in page.all("a")}

    assert page.open == []
    assert not page.all("script")
    assert not page.all("img")
    assert not any("onerror" in attributes for _, attributes in page.elements)
    assert all(re.match(r"#|https://evil|lossbench-\w+\.jsonl$|measuring\.html$", address) for address in addresses)
    assert "alert('x')" in page.text
    assert "{{ 7 * 7 }}" in page.text


def test_page_cannot_be_written(tmp_path):
    """The error names the page."""
    (tmp_path / "index.html").mkdir()

    with pytest.raises(site.UsageError, match=r"cannot write the page .*index\.html"):
        site.render(tmp_path)


@pytest.mark.parametrize(
    ("value", "text"),
    [(None, "–"), (0.61234, "0.612"), (float("inf"), "∞"), (float("nan"), "NaN"), (41.2, "41.2"), (1234.5, "1,234"), ("", "–")],
)
def test_numbers_for_people(value, text):
    assert site_tables.number(value) == text


def test_headings_of_a_section():
    """Tables, first figures and others under each heading, in order; a figure is among the first unless it says otherwise."""
    records = [
        {"kind": "figure", "id": "a", "group": "one", "first": False},
        {"kind": "figure", "id": "b", "group": "two"},
        {"kind": "table", "id": "c", "group": "one"},
        {"kind": "figure", "id": "d", "group": "one", "first": True},
    ]
    found = site.headings(records)

    assert list(found) == ["one", "two"]
    assert [[r["id"] for r in kind] for kind in (found["one"].tables, found["one"].first, found["one"].others)] == [
        ["c"],
        ["d"],
        ["a"],
    ]
    assert [record["id"] for record in found["two"].first] == ["b"]


def test_published_gallery_holds_what_its_page_shows(tmp_path):
    """The page made again from the compressed results shows the same checks; an unfinished report is not published."""
    reports, target = tmp_path / "reports", tmp_path / "published"
    write_verification("lossbench", sorted(reference.LOSSES)[:3], reports)
    publish.publish(reports, target)
    (original,) = [part for part in site.find(reports) if part.file]
    (copied,) = [part for part in site.find(target) if part.file]

    assert copied.file == f"{original.file}.gz"
    assert copied.of("check") == original.of("check") != []
    assert copied.file in (target / "index.html").read_text(encoding="utf-8")

    write_verification("lossbench", sorted(reference.LOSSES)[:3], reports, end=False)
    with pytest.raises(UsageError, match="no finished report"):
        publish.publish(reports, target)
    assert (target / "index.html").exists()


def test_page_says_what_the_checks_cost_and_what_they_could_tell(tmp_path):
    """Of 40 numbers 30 could tell; a format without a comparison has no share."""
    with Run.open(Request("lossbench", "verify", items=("L1Loss",), reports=tmp_path)) as run:
        for dtype, compared, telling in (("float32", 10, 10), ("bfloat16", 30, 20), ("float16", 0, 0)):
            fields = {"item": "L1Loss", "check": "forward", "device": "cpu", "dtype": dtype, "path": "eager", "ratio": 0.5}
            run.write("check", dtype, status="pass", lane="ordinary", compared=compared, telling=telling, message=[], **fields)
        run.end(speed={"checks_per_cpu_s": 512.0, "cpu_s": 33.0, "start_up_s": 2.5, "compile_cpu_s": 41.0})
    text = Page(site.render(tmp_path)).text
    assert "512 checks for each of 33 CPU-seconds" in text
    assert "2.5 s until the first check began and 41 CPU-seconds of compilation" in text
    assert "L1Loss 3 40 – 100.0% 66.7% – 75.0% all 3 40 – 100.0% 66.7% – 75.0%" in text
