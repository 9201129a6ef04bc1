"""The document, reproduced: what is expected of both tables, and that the judge tells a drift from its absence."""

import dataclasses

import pytest
import torch

import lossbench.document
import lossbench.document_training
import optimbench.document
from benchkit.document import DRIFTED, SAME, Statement, check, judge, outcome
from benchkit.request import DISCREPANCY, RIGHT, Request
from benchkit.results import read
from lossbench.examples import EXAMPLES, example
from reference import LOSSES, OPTIMIZERS

COMMANDS = {"lossbench": lossbench.document, "optimbench": optimbench.document}
DRIFTS = {  # what torch no longer does as the document says
    "lossbench": {
        "CrossEntropyLoss: own arguments",
        "KLDivLoss: warnings of the example",
        "CosineEmbeddingLoss: the example's 2-D target",
        "CTCLoss: legacy arguments",
    },
    "optimbench": {
        "zero_grad: default of set_to_none",
        "load_state_dict, deep copy: the state tensors",
        "walk-through, 2: the gradient after zero_grad()",
        "walk-through, 4: state_dict, keys of a group",
        "walk-through, 5: momentum_buffer, 50 steps after zero_grad()",
        "walk-through, 5: weight, 50 steps after zero_grad()",
    },
}


@pytest.fixture(scope="module", params=COMMANDS)
def reproduced(request, tmp_path_factory):
    """Each command's name, exit status and results."""
    asked = Request(suite=request.param, command="document", reports=tmp_path_factory.mktemp("reports"))
    status = COMMANDS[request.param].document(asked)
    return request.param, status, read(asked.results_file)


def test_every_verdict_is_the_expected_one(reproduced):
    """The command succeeds, and what drifted is what is known to have drifted, with a reason."""
    name, status, results = reproduced
    records = results.of("document")

    assert status == RIGHT
    assert {record["what"] for record in records if record["verdict"] == DRIFTED} == DRIFTS[name]
    assert all(record["reason"] for record in records if record["verdict"] == DRIFTED)
    assert results.ended
    assert results.summary[SAME] + results.summary[DRIFTED] == len(records)


def test_verdicts_follow_from_what_was_printed_and_got(reproduced):
    """A row is the same where the two texts are equal, and says something in every column."""
    _, _, results = reproduced

    for record in results.of("document"):
        assert (record["verdict"] == SAME) == (record["printed"] == record["got"]), record
        assert record["section"]
        assert record["printed"]
        assert record["got"]


def test_every_item_has_its_rows(reproduced):
    """Every class of the document is a row at least."""
    name, _, results = reproduced
    registry = LOSSES if name == "lossbench" else OPTIMIZERS
    text = " ".join(record["what"] + record["got"] for record in results.of("document"))

    assert [name for name, item in registry.items() if item.document and name not in text] == []
    assert set(lossbench.document.SECTIONS) == set(EXAMPLES)
    assert {item.name: item.document for item in LOSSES.values() if item.document} == {
        n: s for n, (s, _) in lossbench.document.SECTIONS.items()
    }


def test_sections_come_in_order(reproduced):
    """Numbered sections ascend."""
    _, _, results = reproduced
    numbered = [record["section"] for record in results.of("document") if record["section"][0].isdigit()]

    assert numbered == sorted(numbered, key=lambda section: [int(n) for n in section.split(".")])


def test_statements_of_one_item(tmp_path):
    """With an item named, only its rows are checked."""
    asked = Request(suite="lossbench", command="document", items=("KLDivLoss",), reports=tmp_path)

    assert lossbench.document.document(asked) == RIGHT
    assert {record["item"] for record in read(asked.results_file).of("document")} == {"KLDivLoss"}


@pytest.mark.parametrize(
    ("program", "drift", "verdict", "expected"),
    [
        (lambda: "1", "", SAME, True),
        (lambda: "2", "", DRIFTED, False),
        (lambda: "2", "changed", DRIFTED, True),
        (lambda: "1", "changed", SAME, False),
        (lambda: str(1 / 0), "", DRIFTED, False),
    ],
    ids=["same", "unexpected drift", "declared drift", "declared drift that is gone", "exception"],
)
def test_judge(program, drift, verdict, expected, tmp_path, capsys):
    """A drift is right exactly where it was declared, and the exit status and the output say so."""
    statement = Statement("1.1", "a number", "1", program, drift)
    found = judge(statement)
    status = check(Request(suite="lossbench", command="document", reports=tmp_path), [statement])

    assert (found["verdict"], found["expected"]) == (verdict, expected)
    assert status == (RIGHT if expected else DISCREPANCY)
    assert ("not as expected: 1.1 a number" in capsys.readouterr().out) == (not expected)


@pytest.mark.parametrize("side", COMMANDS)
def test_a_wrong_print_is_found(side):
    """No statement agrees with a text that differs from what is printed in its last character."""
    for statement in COMMANDS[side].statements():
        wrong = dataclasses.replace(statement, printed=statement.printed[:-1] + "#")

        assert judge(wrong)["verdict"] == DRIFTED, statement.what


def test_outcome_names_errors_and_warnings():
    """What a call does besides returning, in words."""
    assert outcome(lambda: 1) == "accepts"
    assert outcome(lambda: torch.ones(2).reshape(3)).startswith("raises RuntimeError: shape")
    assert outcome(lambda: torch.nn.L1Loss(reduce=False)).startswith("warns UserWarning: size_average and reduce")


def test_shards_are_compared_closely():
    """The comparison of shards sees a loss that is off by a millionth."""

    class Off(torch.nn.MSELoss):
        def forward(self, x, y):
            return super().forward(x, y) * (1.0 + 1e-6 * (len(x) > 8))

    given = example("MSELoss", 16)

    assert lossbench.document_training.shards_agree(torch.nn.MSELoss(), given)
    assert not lossbench.document_training.shards_agree(Off(), given)
