"""CTC against its definition: the probabilities of all paths, enumerated one by one and added where they spell the target."""

import itertools

import numpy as np
import pytest

from reference.losses.ctc import ctc

FRAMES, CLASSES, LABELS = 4, 3, 3


def spelled(path, blank):
    """What a path of classes spells: repetitions removed, then blanks."""
    return tuple(label for label, _ in itertools.groupby(path) if label != blank)


def posterior(log_probs, target, blank):
    """The probability of a target, and the part of it whose paths are in a class at a frame, (T, C)."""
    frames, classes = log_probs.shape
    total, visits = 0.0, np.zeros((frames, classes))
    for path in itertools.product(range(classes), repeat=frames):
        if spelled(path, blank) == target:
            probability = np.exp(sum(log_probs[t, label] for t, label in enumerate(path)))
            total += probability
            for t, label in enumerate(path):
                visits[t, label] += probability
    return total, visits


def log_probabilities(shape, seed):
    logits = np.random.default_rng(seed).normal(0.0, 1.5, shape)
    return logits - np.logaddexp.reduce(logits, axis=-1, keepdims=True)


def every_target(classes, blank):
    labels = [label for label in range(classes) if label != blank]
    return [target for length in range(LABELS + 1) for target in itertools.product(labels, repeat=length)]


@pytest.mark.parametrize("zero_infinity", [False, True])
@pytest.mark.parametrize("blank", [0, 1, 2])
def test_all_targets_and_lengths_of_four_frames(blank, zero_infinity):
    """Every target of up to 3 labels in every input length from 0 to 4, as one batch: repeated labels, empty, infeasible."""
    cases = [(target, frames) for target in every_target(CLASSES, blank) for frames in range(FRAMES + 1)]
    log_probs = log_probabilities((FRAMES, len(cases), CLASSES), seed=blank)
    padded = np.full((len(cases), LABELS), -1)  # what stands behind a target must not matter
    for n, (target, _) in enumerate(cases):
        padded[n, : len(target)] = target
    frames = np.array([frames for _, frames in cases])
    lengths = np.array([len(target) for target, _ in cases])
    options = {"blank": blank, "zero_infinity": zero_infinity}

    losses = ctc(log_probs, padded, frames, lengths, **options)
    (gradient,) = ctc.gradient_function(log_probs, padded, frames, lengths, **options)

    infeasible = 0
    for n, (target, heard) in enumerate(cases):
        probability, visits = posterior(log_probs[:heard, n], target, blank)
        assert not gradient[heard:, n].any()
        if probability > 0.0:
            np.testing.assert_allclose(losses[n], -np.log(probability), rtol=1e-13, atol=1e-13)
            np.testing.assert_allclose(gradient[:heard, n], -visits / probability, rtol=1e-12, atol=1e-14)
        else:
            infeasible += 1
            assert losses[n] == (0.0 if zero_infinity else np.inf)
            assert np.all(gradient[:heard, n] == 0.0 if zero_infinity else np.isnan(gradient[:heard, n]))
    assert len(cases) == 75
    # A target needs a frame for each label and one for the blank between two equal ones. The 2 targets of one label fail in 0
    # frames; of two labels 2 fail in 0 and 1, and 2 in 0 to 2; of three 2 fail in 0 to 2, 4 in 0 to 3, and 2 in all 5.
    assert infeasible == 2 * 1 + (2 * 2 + 2 * 3) + (2 * 3 + 4 * 4 + 2 * 5)


def test_padded_concatenated_and_single_targets_agree():
    """One vector of all targets, rows with padding, and every sequence on its own give the same losses and derivatives."""
    targets = [(1, 1), (), (2, 1, 2), (2,)]
    log_probs = log_probabilities((5, 4, 3), seed=7)
    padded = np.array([[1, 1, 2], [2, 2, 2], [2, 1, 2], [2, 1, 1]])
    frames, lengths = np.array([5, 3, 4, 2]), np.array([2, 0, 3, 1])
    options = {"blank": 0, "zero_infinity": False}
    rows = (log_probs, padded, frames, lengths)
    joined = (log_probs, np.array([label for target in targets for label in target]), frames, lengths)

    losses, (gradient,) = ctc(*rows, **options), ctc.gradient_function(*rows, **options)

    np.testing.assert_array_equal(ctc(*joined, **options), losses)
    np.testing.assert_array_equal(ctc.gradient_function(*joined, **options)[0], gradient)
    for n, target in enumerate(targets):
        alone = (log_probs[:, n], np.array(target, dtype=np.int64), frames[n], lengths[n])
        assert ctc(*alone, **options).shape == ()
        np.testing.assert_array_equal(ctc(*alone, **options), losses[n])
        np.testing.assert_array_equal(ctc.gradient_function(*alone, **options)[0], gradient[:, n])


def test_impossible_classes():
    """A class of probability 0 has a derivative of 0 where the target does without it, else the loss is infinite."""
    with np.errstate(divide="ignore"):
        log_probs = np.log([[0.5, 0.5, 0.0], [0.25, 0.75, 0.0], [1.0, 0.0, 0.0]])
    batch = np.stack([log_probs, log_probs], axis=1)
    arguments = (batch, np.array([[1], [2]]), np.array([3, 3]), np.array([1, 1]))

    losses = ctc(*arguments, blank=0, zero_infinity=False)
    (gradient,) = ctc.gradient_function(*arguments, blank=0, zero_infinity=True)

    probability, visits = posterior(log_probs, (1,), 0)
    assert losses[1] == np.inf
    np.testing.assert_allclose(losses[0], -np.log(probability), rtol=1e-14)
    np.testing.assert_allclose(gradient[:, 0], -visits / probability, rtol=1e-14)
    assert not gradient[:, 1].any()


def test_mean_divides_by_target_length_and_batch():
    """The mean weighs each loss by its target length, at least 1, and by the number of sequences."""
    log_probs = log_probabilities((4, 3, 3), seed=11)
    arguments = (log_probs, np.array([[1, 2, 1], [2, 2, 2], [1, 1, 1]]), np.array([4, 4, 4]), np.array([3, 1, 0]))

    divisor = ctc.reductions["mean"](*arguments, blank=0, zero_infinity=False)

    assert divisor.tolist() == [9, 3, 3]
