"""What is said of losses over seeds: against scipy, brute force, worked examples, and its error rates."""

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from benchkit.grid import generator
from optimbench.convergence import comparison, profiles, statistics, targets
from optimbench.convergence.trajectory import Contender, Trajectories

TRIALS = 400


def binomial_ceiling(level, trials=TRIALS):
    """More rejections than this come about once in a thousand times if the level is kept."""
    return stats.binom.ppf(0.999, trials, level)


def runs(losses, steps=None, evaluations=None, evaluation_seconds=0.5):
    """Trajectories of one contender with these losses (S, T)."""
    losses = np.asarray(losses, dtype=float)
    steps = np.arange(losses.shape[1]) if steps is None else np.asarray(steps)
    evaluations = np.broadcast_to(steps, losses.shape) if evaluations is None else np.asarray(evaluations)
    seeds = tuple(range(len(losses)))
    contender = Contender("SGD", "SGD")
    return Trajectories(
        "p", contender, {"lr": 0.1}, seeds, steps, losses, evaluations, np.nan, "loop", evaluation_seconds=evaluation_seconds
    )


def test_bands_are_order_statistics_and_divergence_is_the_worst():
    """Percentiles of what is finite, inf where runs that diverged decide; NaN, inf and absurd losses are the same."""
    losses = np.arange(21.0)[:, None] * np.ones((1, 2))
    losses[-3:, 1] = np.nan, np.inf, 1e35

    found = statistics.bands(losses)

    np.testing.assert_array_equal(found.median, [10.0, 10.0])
    np.testing.assert_array_equal(found.half, [[5.0, 5.0], [15.0, 15.0]])
    np.testing.assert_array_equal(found.most, [[1.0, 1.0], [19.0, np.inf]])
    assert statistics.diverged(losses).sum() == 3


@given(st.lists(st.floats(allow_nan=True, allow_infinity=True), min_size=1, max_size=9))
def test_a_median_is_never_better_for_a_run_that_diverged(values):
    """Replacing a run by one that diverged cannot lower the median."""
    losses = np.array(values)
    worse = losses.copy()
    worse[0] = np.nan

    assert statistics.median(worse) >= statistics.median(losses)


def test_half_of_the_runs_diverged():
    """An even number of seeds, half of them diverged: the median lies between a number and no number."""
    assert statistics.median(np.array([1.0, 2.0, np.nan, np.nan])) == np.inf
    assert statistics.median(np.array([1.0, 2.0, 3.0, np.nan])) == 2.5


def test_interval_of_the_median_covers_it():
    """In nearly 95 % of the samples of a skewed distribution the bootstrap interval holds the true median."""
    rng = generator("coverage of the interval of the median")
    covered = 0
    for trial in range(TRIALS):
        low, high = statistics.median_interval(rng.lognormal(size=32), trial)
        covered += low <= 1.0 <= high

    assert stats.binom.ppf(0.001, TRIALS, 0.93) <= covered <= stats.binom.ppf(0.999, TRIALS, 0.97)


def test_interval_of_the_median_near_the_exact_one():
    """The distribution-free interval by the binomial distribution is an independent source."""
    sample = generator("interval of the median").normal(size=200)
    exact = stats.quantile_test(sample, q=0.0, p=0.5).confidence_interval(0.95)
    low, high = statistics.median_interval(sample, "x")

    assert low == pytest.approx(exact.low, abs=0.06)
    assert high == pytest.approx(exact.high, abs=0.06)
    assert (low, high) == statistics.median_interval(sample, "x")
    assert (low, high) != statistics.median_interval(sample, "y")


def test_interval_that_reaches_into_diverged_runs_has_no_upper_end():
    losses = np.r_[np.linspace(1.0, 2.0, 10), [np.nan] * 8]
    low, high = statistics.median_interval(losses, "x")

    assert 1.0 <= low < 2.0
    assert high == np.inf
    assert np.isnan(statistics.median_interval(losses[:1], "x")).all()


def test_t_statistics_are_those_of_scipy():
    losses = generator("t").normal(1.0, 0.2, (12, 7))
    expected = stats.ttest_1samp(losses, 0.9, axis=0, alternative="less")

    np.testing.assert_allclose(targets.t_statistics(losses, 0.9), expected.statistic, rtol=1e-9)


def test_t_without_scatter_and_with_divergence():
    """Where all seeds agree the sign decides; a mean exactly on the target is not below it; a diverged run is above."""
    columns = np.stack([np.full(6, 0.5), np.full(6, 1.0), np.full(6, 0.3), np.r_[np.nan, np.zeros(5)]], axis=1)

    np.testing.assert_array_equal(targets.t_statistics(columns, 0.5), [0.0, np.inf, -np.inf, np.inf])


@pytest.mark.parametrize("seeds", [5, 16, 64])
@pytest.mark.parametrize("dependence", ["independent steps", "one level for each seed"])
def test_a_mean_on_the_target_is_seldom_said_to_be_below_it(seeds, dependence):
    """Error rate under the null over all 50 recorded steps together; without the correction it would be far higher."""
    rng = generator("null of the target", seeds, dependence)
    said = naive = 0
    for trial in range(TRIALS):
        noise = rng.normal(size=(seeds, 50)) if dependence == "independent steps" else rng.normal(size=(seeds, 1))
        losses = 1.0 + 0.1 * np.broadcast_to(noise, (seeds, 50)) + 1e-3 * rng.normal(size=(seeds, 50))
        said += bool((targets.t_statistics(losses, 1.0) < targets.threshold(losses, 1.0, trial)).any())
        naive += bool((targets.t_statistics(losses, 1.0) < stats.t.ppf(0.05, seeds - 1)).any())

    assert said <= binomial_ceiling(targets.LEVEL)
    if dependence == "independent steps":
        assert naive > 2 * binomial_ceiling(targets.LEVEL)


def test_steps_to_a_target_that_is_crossed_without_scatter():
    """Losses 10, 9, 8, ... with little scatter cross 5.5 at the fifth step; costs follow from that step."""
    rng = generator("crossing")
    losses = 10.0 - np.arange(10.0) + 1e-6 * rng.normal(size=(16, 10))
    steps = 3 * np.arange(10)
    found = targets.reached(runs(losses, steps, evaluations=np.broadcast_to(2 * steps + 1, losses.shape)), 5.5, "x")

    assert found.steps == targets.Cost(15.0, 15.0, 15.0)
    assert found.evaluations == targets.Cost(31.0, 31.0, 31.0)
    assert found.seconds == targets.Cost(15.5, 15.5, 15.5)
    assert found.share == 1.0


def test_interval_of_the_steps_holds_the_step_at_which_the_true_mean_crosses():
    """With many seeds and scatter in their speed; the estimate is later than the crossing, for it takes certainty."""
    rng = generator("interval of the steps")
    slopes = rng.normal(1.0, 0.1, (64, 1))
    found = targets.reached(runs(10.0 - slopes * np.linspace(0.0, 9.0, 181)), 5.0, "x")

    assert found.steps.low <= found.steps.value <= found.steps.high
    assert 100 < found.steps.value < 115
    assert found.steps.high - found.steps.low < 15


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_target_is_not_reached_where_a_run_has_diverged(bad):
    """One of many runs that diverged before the others arrive is enough; before it did the target may have been reached."""
    losses = np.tile(np.linspace(1.0, 0.0, 21), (16, 1)) + 1e-9 * generator("diverged").normal(size=(16, 21))
    early, late = losses.copy(), losses.copy()
    early[3, 5:], late[3, 15:] = bad, bad

    assert targets.reached(runs(early), 0.5, "x").steps.value == np.inf
    assert targets.reached(runs(early), 0.5, "x").seconds.value == np.inf
    assert targets.reached(runs(early), 0.5, "x").share == 15 / 16
    assert targets.reached(runs(late), 0.5, "x").steps.value == 11.0


def test_too_few_seeds_say_nothing_of_targets():
    found = targets.reached(runs(np.zeros((4, 3))), 0.5, "x")

    assert np.isnan(found.steps.value)
    assert np.isnan(found.seconds.high)
    assert found.share == 1.0


def test_target_that_holds_from_the_start():
    found = targets.reached(runs(np.full((8, 3), 0.1), evaluation_seconds=np.nan), 0.5, "x")

    assert found.steps.value == found.seconds.value == 0.0


def test_holm_of_a_worked_example():
    """0.01, 0.04, 0.03, 0.005: times 4, 3, 2, 1 in ascending order, and never less than the one before."""
    np.testing.assert_allclose(comparison.holm([0.01, 0.04, 0.03, 0.005]), [0.03, 0.06, 0.06, 0.02])
    np.testing.assert_allclose(comparison.holm([0.6, 0.7]), [1.0, 1.0])
    assert comparison.holm([]).shape == (0,)


def test_paired_test_of_a_worked_example():
    """Five seeds, all better: the least possible two-sided p-value is 2 / 2**5; seeds without difference are left out."""
    assert comparison.paired(np.array([-1.0, -2.0, -3.0, -4.0, -5.0])) == (pytest.approx(0.0625), 1)
    assert comparison.paired(np.array([1.0, 2.0, 3.0, 4.0, 5.0])) == (pytest.approx(0.0625), -1)
    assert comparison.paired(np.array([-1.0, 0.0, -2.0, -3.0, -4.0, -5.0])) == (pytest.approx(0.0625), 1)
    assert comparison.paired(np.zeros(8)) == (1.0, 0)


def test_paired_test_is_that_of_all_sign_flips():
    """The p-value is the share of the 2**S ways to give the differences signs with a rank sum as far from zero."""
    differences = generator("flips").normal(0.4, 1.0, 9)
    ranks = stats.rankdata(np.abs(differences))
    sums = np.array([np.dot(signs, ranks) for signs in itertools.product((-1.0, 1.0), repeat=9)])
    observed = abs(np.dot(np.sign(differences), ranks))

    assert comparison.paired(differences)[0] == pytest.approx(np.mean(np.abs(sums) >= observed - 1e-9))


def test_equal_contenders_are_seldom_told_apart():
    """The chance of one false claim among all 28 pairs of eight contenders on shared seeds stays below 5 %."""
    rng = generator("null of the comparison")
    wrong = naive = 0
    for _ in range(TRIALS):
        finals = rng.lognormal(size=(1, 16)) * rng.lognormal(size=(8, 16))
        found = comparison.compare(finals)
        wrong += found.distinguished > 0
        naive += bool((found.p <= 0.05).any())

    assert wrong <= binomial_ceiling(comparison.LEVEL)
    assert naive > 3 * binomial_ceiling(comparison.LEVEL)


def test_paired_seeds_show_a_difference_that_is_small_beside_their_scatter():
    """A contender that is better by 2 % in every seed is told from another though seeds differ by a factor; ranks follow."""
    rng = generator("paired")
    seeds = rng.lognormal(size=32)
    finals = np.stack([seeds, 0.98 * seeds, seeds * (1.0 + 1e-3 * rng.normal(size=32)), np.full(32, np.nan)])
    found = comparison.compare(finals)

    np.testing.assert_array_equal(found.better, [[0, -1, 0, 1], [1, 0, 1, 1], [0, -1, 0, 1], [-1, -1, -1, 0]])
    assert found.letters == ("b", "a", "b", "c")
    assert found.corrected[0, 2] == found.corrected[2, 0] > 0.05


def test_all_diverged_contenders_are_the_same():
    assert comparison.compare(np.full((3, 8), np.nan)).letters == ("a", "a", "a")


def test_seeds_that_are_enough():
    """With that many seeds an optimizer that is best in every seed is told apart, with one fewer it is not."""
    needed = comparison.compare(np.zeros((6, 1))).enough_seeds
    finals = np.arange(6.0)[:, None] + np.linspace(0.0, 0.5, needed)

    assert comparison.compare(finals).distinguished == 15
    assert comparison.compare(finals[:, 1:]).distinguished == 0


@given(st.integers(1, 7), st.randoms(use_true_random=False))
def test_contenders_share_a_letter_if_and_only_if_they_are_alike(count, random):
    """Also each letter is needed: its members are not those of another."""
    alike = np.eye(count, dtype=bool)
    for i, j in itertools.combinations(range(count), 2):
        alike[i, j] = alike[j, i] = random.random() < 0.6
    found = comparison.letters(alike)
    members = {letter: {k for k in range(count) if letter in found[k]} for letter in "".join(found)}

    for i, j in itertools.combinations(range(count), 2):
        assert bool(set(found[i]) & set(found[j])) == alike[i, j]
    assert not any(a < b for a, b in itertools.permutations(members.values(), 2))
    assert found[0].startswith("a")


def test_letters_of_a_worked_example():
    """Piepho's kind of case: A like B, B like C, A not like C, D alone."""
    alike = np.array([[1, 1, 0, 0], [1, 1, 1, 0], [0, 1, 1, 0], [0, 0, 0, 1]], dtype=bool)

    assert comparison.letters(alike) == ["a", "ab", "b", "c"]


def test_profile_of_a_worked_example():
    """Three problems, two contenders: 10 and 20, 30 and 15, and one that only the second solves."""
    found = profiles.ratios(np.array([[10.0, 20.0], [30.0, 15.0], [np.inf, 8.0], [np.nan, np.inf]]))

    np.testing.assert_array_equal(found, [[1.0, 2.0], [2.0, 1.0], [np.inf, 1.0], [np.inf, np.inf]])
    np.testing.assert_array_equal(profiles.profile(found, np.array([1.0, 1.9, 2.0])), [[0.25, 0.5], [0.25, 0.5], [0.5, 0.75]])
    np.testing.assert_allclose(profiles.score(found, 4.0), [(1.0 + 0.5) / 4, (0.5 + 1.0 + 1.0) / 4])


def test_score_is_the_area_under_the_profile():
    """Numerical integration of the profile over the logarithm of the ratio."""
    found = profiles.ratios(np.exp(generator("profile").normal(size=(9, 4))))
    tau = np.exp(np.linspace(0.0, np.log(8.0), 20001))
    area = np.trapezoid(profiles.profile(found, tau), np.log(tau), axis=0) / np.log(8.0)

    np.testing.assert_allclose(profiles.score(found, 8.0), area, atol=1e-3)


def test_problem_that_is_solved_at_once_counts_as_best():
    """A cost of zero has no ratio but to itself."""
    np.testing.assert_array_equal(profiles.ratios(np.array([[0.0, 0.0, 3.0]])), [[1.0, 1.0, np.inf]])
