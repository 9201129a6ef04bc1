"""The null experiment: its trials are kept and resumed, its shares follow from them, and the page shows them."""

from __future__ import annotations

import pytest

from benchkit import null_experiment, site
from benchkit.results import read


def trial(verdict="same", in_turn=1.0, welch=0.5, ranks=0.5):
    return {"verdict": verdict, "in_turn": in_turn, "welch": welch, "ranks": ranks}


def test_shares_count_what_each_way_says():
    """A false alarm speaks up on the same operation; a hit says slower of the longer one, and significant is not enough."""
    same = [trial(), trial("ambiguous", 1.03), trial("slower", 0.97, 0.001), trial("faster", 1.0, 0.5, 0.001)]
    more = [trial("slower", 1.05, 0.001, 0.001), trial("same", 0.9, 0.001, 0.001), trial("ambiguous", 1.01)]
    pairs, medians, welch, ranks = null_experiment.shares(same, more).values()

    assert pairs == (0.5, pytest.approx(1 / 3))
    assert medians == (0.5, pytest.approx(1 / 3))
    assert welch == (0.25, pytest.approx(1 / 3))
    assert ranks == (0.25, pytest.approx(1 / 3))


def test_trials_are_kept_resumed_and_shown(tmp_path, capsys):
    """Every trial of both questions is a record; resuming makes none anew; table and figure are on the page."""
    words = ["--trials", "2", "--budget", "0.02", "--reports", str(tmp_path)]
    null_experiment.main(words)
    file = tmp_path / "benchkit-null-experiment.jsonl"
    first = read(file)
    null_experiment.main([*words, "--resume"])
    again = read(file)
    page = (site.render(tmp_path).parent / "measuring.html").read_text(encoding="utf-8")

    assert [record["id"] for record in first.of("trial")] == ["same-0", "more-0", "same-1", "more-1"]
    assert again.records == first.records
    assert again.ended
    assert "pairs in random order" in capsys.readouterr().out
    assert "2 trials of each question" in page
    assert 'id="figure-null-experiment"' in page


@pytest.mark.parametrize("words", [["--trials", "0"], ["--budget", "0"], ["--budget", "nan"]])
def test_wrong_numbers_are_refused(words, capsys):
    with pytest.raises(SystemExit) as ending:
        null_experiment.main(words)

    assert ending.value.code == 2
    assert "--trials must be 1 or more" in capsys.readouterr().err
