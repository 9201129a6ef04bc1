import numpy as np

from benchkit.contract import Acceptance, Refusal, Typed, cast, last, out_of_range, shaped
from benchkit.domains import Domain, class_probabilities
from benchkit.spec import Figure, loss
from reference.elementary import log_add_exp


def _most_labels(draw):
    """The most labels of an ordinary target; with 2 S - 1 frames or more, any such target can be aligned."""
    return (draw.shape[0] + 1) // 3 * (2 if draw.lane == "edge" else 1)


def _batch(draw):
    return draw.shape[1:-1]


def _logits(impossible=False):
    """Real numbers that become log-probabilities; the edge lane has far and ``impossible`` classes, never a whole frame."""

    def sample(draw):
        ordinary = draw.rng.normal(0.0, 2.0, draw.shape)
        if draw.lane != "edge":
            return ordinary
        values = draw.mix_edges(ordinary, [0.0, -0.0, 20.0, -20.0, 1000.0, -1000.0] + [-np.inf] * 2 * impossible)
        return np.where((values == -np.inf).all(axis=-1, keepdims=True), 0.0, values)

    return Domain("logits", sample, differentiable=True, through="log_softmax")


def _labels(concatenated):
    """Labels other than the blank, with repetitions: rows of the most labels, or any number of labels in one vector."""

    def sample(draw):
        shape = (*(_batch(draw) or (1,)), _most_labels(draw))
        if concatenated:
            shape = (int(draw.rng.integers(np.prod(shape) // 2, np.prod(shape) + 1)),)
        labels = draw.rng.integers(0, draw.shape[-1] - 1, shape)
        return labels + (labels >= draw.options["blank"])

    return Domain("labels", sample, floating=False, repeats=not concatenated, stacks=not concatenated)


def _input_lengths():
    """How many frames count: enough for any ordinary target, or (edge) any number from 0."""
    return Domain(
        "lengths",
        lambda draw: draw.rng.integers(
            0 if draw.lane == "edge" else max(2 * _most_labels(draw) - 1, 1), draw.shape[0] + 1, _batch(draw)
        ),
        floating=False,
    )


def _target_lengths(concatenated):
    """How many labels each target has: any number from 0; or the labels that there are, dealt to the rows at random."""

    def sample(draw):
        most = _most_labels(draw)
        if not concatenated:
            return draw.rng.integers(0, most + 1, _batch(draw))
        (rows,) = _batch(draw) or (1,)
        taken = draw.rng.permutation(rows * most)[: len(draw.inputs["targets"])]
        return np.bincount(taken // most if most else taken, minlength=rows).reshape(_batch(draw))

    return Domain("lengths", sample, floating=False, repeats=not concatenated, stacks=not concatenated)


def _inputs(log_probs, concatenated):
    return {
        "log_probs": log_probs,
        "targets": _labels(concatenated),
        "input_lengths": _input_lengths(),
        "target_lengths": _target_lengths(concatenated),
    }


def _states(log_probs, targets, input_lengths, target_lengths, blank):
    """Everything with a batch axis, and the states of the alignment: blank, first label, blank, ..., last label, blank.

    Returns log_probs (T, N, C), labels of the states (2 S + 1, N), input lengths (N) and target lengths (N).
    """
    lengths = np.reshape(target_lengths, -1)
    frames, classes = log_probs.shape[0], log_probs.shape[-1]
    if targets.ndim == 1:
        place = np.cumsum(lengths) - lengths + np.arange(lengths.max(initial=0))[:, None]
        targets = np.append(targets, blank)[np.minimum(place, len(targets))]
    else:
        targets = np.transpose(targets)
    targets = np.where(np.arange(len(targets))[:, None] < lengths, targets, blank)
    blanks = np.full_like(targets, blank)
    labels = np.stack([blanks, targets], axis=1).reshape(2 * len(targets), len(lengths))
    labels = np.concatenate([labels, np.full_like(lengths, blank)[None]])
    return log_probs.reshape(frames, len(lengths), classes), labels, np.reshape(input_lengths, -1), lengths


def _shifted(a, by):
    """States moved up (by > 0) or down, with probability 0 entering."""
    nothing = np.full((min(abs(by), len(a)), *a.shape[1:]), -np.inf)
    return np.concatenate([nothing, a[:-by]] if by > 0 else [a[-by:], nothing])


def _before(labels, blank):
    """The label two states below."""
    return np.concatenate([np.full((2, labels.shape[1]), blank), labels])[:-2]


def _emitted(log_probs, labels):
    """The log-probability of the label of each state in each frame, (T, 2 S + 1, N)."""
    return log_probs[:, np.arange(labels.shape[1]), labels]


def _entered(alpha, jump):
    """The probability of being about to emit in each state: stay, step from the state below, or jump over a blank."""
    nothing = np.full_like(alpha[:1], -np.inf)
    below = np.concatenate([nothing, nothing, alpha])
    return log_add_exp([alpha, below[1:-1], np.where(jump, below[:-2], -np.inf)])


def _start(emitted):
    """Before the first frame: in the blank that precedes the target."""
    nowhere = np.full_like(emitted, -np.inf, shape=emitted.shape[1:])
    return np.where(np.arange(len(nowhere))[:, None] == 0, 0.0, nowhere)


def _every_label(draw, lengths):
    """Target lengths that leave no label out."""
    targets = draw.inputs["targets"]
    return np.full_like(lengths, targets.shape[-1]) if targets.ndim > 1 else lengths


def _tuple(draw, lengths):
    return tuple(int(length) for length in lengths)


def _as_cudnn_takes_it(inputs):
    """All frames count, the targets lie one after another, and the whole numbers are int32 in the memory of the host."""
    targets, lengths = np.asarray(inputs["targets"]), np.asarray(inputs["target_lengths"])
    frames = np.full_like(inputs["input_lengths"], len(inputs["log_probs"]))
    spelled = np.concatenate([row[:length] for row, length in zip(targets, lengths, strict=True)])
    whole = {"targets": spelled, "input_lengths": frames, "target_lengths": lengths}
    return {**inputs, **{name: array.astype(np.int32) for name, array in whole.items()}}


def _contract():
    """Labels that are none, lengths that do not fit, and the forms in which lengths may come."""
    lengths = ("input_lengths", "target_lengths")
    clauses = []
    for variant in ("padded", "concatenated"):
        full = {"target_lengths": _every_label}
        clauses += out_of_range(
            "targets",
            stated="Each element in the target sequence is a class index",
            count=lambda draw: draw.shape[-1],
            also=full,
            suffix=f" in {variant} targets",
            variant=variant,
            compiled=False,  # compiled code calls the same kernel
        )
        clauses += [
            Refusal(
                f"the blank in {variant} targets",
                "the target index cannot be blank",
                inputs={"targets": last(lambda draw: draw.options["blank"]), **full},
                variant=variant,
            ),
            *(
                Refusal(f"{words} with {variant} targets", stated, inputs=inputs, variant=variant)
                for words, stated, inputs in (
                    ("input_lengths above T", "must each be <= T", {"input_lengths": last(lambda draw: draw.shape[0] + 1)}),
                    ("input_lengths -1", "It represents the lengths of the inputs", {"input_lengths": last(-1)}),
                    ("target_lengths -1", "It represents lengths of the targets", {"target_lengths": last(-1)}),
                    ("target_lengths in float32", "", {"target_lengths": cast("float32")}),
                )
            ),
        ]
    clauses += [
        Refusal(
            "target_lengths above S",
            "Lengths must each be <= S",
            inputs={"target_lengths": last(lambda draw: draw.inputs["targets"].shape[-1] + 1)},
            variant="padded",
        ),
        *(
            Refusal(
                f"target_lengths of {words} label",
                "the target_lengths must add up to the total length of the tensor",
                inputs={"targets": shaped(change)},
                variant="concatenated",
            )
            for words, change in (("a missing", lambda y: y[:-1]), ("a further", lambda y: np.append(y, y[-1:])))
        ),
        *(
            Refusal(
                f"{name} of {words}", f"{name}: Tuple or tensor of size (N)", inputs={name: shaped(change)}, shapes=[(6, 3, 4)]
            )
            for name in lengths
            for words, change in (("a row less", lambda n: n[:-1]), ("a row more", lambda n: np.append(n, n[-1:])))
        ),
        *(
            Refusal(
                f"targets of {words}",
                "targets: (N, S) or (sum(target_lengths))",
                inputs={"targets": shaped(change)},
                shapes=[(6, 3, 4)],
            )
            for words, change in (
                ("a row less", lambda y: y[:-1]),
                ("a row more", lambda y: np.concatenate([y, y[-1:]])),
                ("three axes", lambda y: y[None]),
            )
        ),
        *(
            Refusal(
                f"log_probs of {words}",
                "log_probs: (T, N, C) or (T, C)",
                inputs={"log_probs": shaped(change)},
                shapes=[(6, 3, 4)],
            )
            for words, change in (("four axes", lambda x: x[None]), ("one axis", lambda x: x[:, 0, 0]))
        ),
        Refusal(
            "a label with a fraction",
            "Each element in the target sequence is a class index",
            inputs={"targets": lambda draw, y: Typed(y + 0.5, "float32"), "target_lengths": _every_label},
            variant="padded",
        ),
        Refusal("input_lengths in float32", inputs={"input_lengths": cast("float32")}),
        Refusal("blank of the number of classes", "blank label", options={"blank": lambda draw: draw.shape[-1]}),
        Refusal("blank -1", "blank label", options={"blank": -1}),
    ]
    tuples = "Tuple or tensor of size (N)"
    clauses += [
        Acceptance("both lengths as tuples", tuples, inputs=dict.fromkeys(lengths, _tuple), shapes=[(6, 3, 4)]),
        *(Acceptance(f"{name} as a tuple", tuples, inputs={name: _tuple}, shapes=[(6, 3, 4)]) for name in lengths),
        Acceptance(
            "whole numbers in int32",
            "the integer arguments must be of dtype torch.int32 (of cuDNN)",
            inputs=dict.fromkeys(("targets", *lengths), cast("int32")),
        ),
    ]
    return clauses


@loss(
    "torch.nn.CTCLoss",
    inputs={
        "padded": _inputs(_logits(), concatenated=False),
        "concatenated": _inputs(_logits(), concatenated=True),
        "log_probs": _inputs(class_probabilities(log=True), concatenated=False),
        "impossible": _inputs(_logits(impossible=True), concatenated=False),
    },
    options={"blank": [0, 2], "zero_infinity": [False, True]},
    shapes=((6, 3, 4), (9, 4, 5), (5, 4)),
    edge_shapes=((1, 1, 3), (2, 3, 3), (5, 8, 3)),
    row_axes=(0, -1),
    long_axes=(-1,),
    long_shapes=((45, 17, 4),),
    legacy=False,
    family="alignment",
    operations_per_element=7,
    row_lengths=({"T": 50, "C": 20}, {"T": 200, "C": 100}, {"T": 500, "C": 32}),
    library=("cudnn", _as_cudnn_takes_it),
    contract=_contract(),
    document="3.5.15",
    source="Graves, Fernandez, Gomez and Schmidhuber, Connectionist temporal classification, ICML 2006, section 4",
    figure=Figure(
        xlabel="probability of the label in each of 4 frames; class 0 has 0.8 of the rest, class 2 the other 0.2",
        span=(0.02, 0.98),
        inputs=lambda x: (
            np.broadcast_to(np.log(np.stack([0.8 * (1.0 - x), x, 0.2 * (1.0 - x)], axis=-1)), (4, len(x), 3)),
            np.ones((len(x), 1), dtype=np.int64),
            np.full(len(x), 4),
            np.ones(len(x), dtype=np.int64),
        ),
        options=[{"blank": 0}, {"blank": 2}],
        gradient=lambda derivatives: derivatives[0][:, :, 1].sum(axis=0),
    ),
)
def ctc(log_probs, targets, input_lengths, target_lengths, *, blank, zero_infinity):
    """Minus the logarithm of the probability that the frames spell the target once repetitions, then blanks, are removed.

    Formula: loss = -log(sum over paths that spell the target of the product over the frames t of exp(log_probs[t, path[t]])),
        by the recursion alpha[t, s] = (alpha[t-1, s] + alpha[t-1, s-1] + alpha[t-1, s-2]) p[t, l'[s]], in logarithms;
        l' is the target with blanks between, and s-2 counts only where l'[s] is a label other than l'[s-2].
    Shapes: log_probs (T, N, C) or (T, C); targets (N, S), or one vector of all the targets (variant ``concatenated``); both
        lengths (N), or () without N. One loss for each sequence.
    Domain: log-probabilities, -inf allowed; 0 <= input length <= T, 0 <= target length; targets without blanks; entries
        behind a target's length are not read, nor are frames behind the input length.
    Edges: a target that fits in no path (input too short, or a needed probability of 0) has the loss inf and a NaN derivative
        in its frames; with zero_infinity both are 0. An empty target is spelled by blanks alone; in no frames its loss is 0.
        The mean divides each loss by its target length (at least 1) and by the number of sequences.
    Where torch differs: the derivative by log_probs is -(posterior probability of the class in the frame); torch has
        exp(log_probs) more, which cancels in a log_softmax behind it (16093, variant ``log_probs``). An impossible class
        (-inf) gets NaN there instead of 0 (variant ``impossible``).
    Accuracy: relative, a few unit roundoffs per frame; the posterior loses digits as the loss grows.
    Source: Graves et al., ICML 2006, section 4; torch.nn.CTCLoss documentation.
    """
    batch = log_probs.shape[1:-1]
    log_probs, labels, frames, length = _states(log_probs, targets, input_lengths, target_lengths, blank)
    emitted = _emitted(log_probs, labels)
    jump = (labels != blank) & (labels != _before(labels, blank))
    alpha = _start(emitted)
    for t in range(len(log_probs)):
        alpha = np.where(t < frames, _entered(alpha, jump) + emitted[t], alpha)
    of_batch = np.arange(len(length))
    at_blank = alpha[2 * length, of_batch]
    at_label = alpha[np.maximum(2 * length - 1, 0), of_batch]
    loss = -np.logaddexp(at_blank, np.where(length > 0, at_label, -np.inf)).reshape(batch)
    return np.where(loss == np.inf, 0.0, loss) if zero_infinity else loss


@ctc.gradient
def _(log_probs, targets, input_lengths, target_lengths, *, blank, zero_infinity):
    shape = log_probs.shape
    log_probs, labels, frames, length = _states(log_probs, targets, input_lengths, target_lengths, blank)
    emitted = _emitted(log_probs, labels)
    jump = (labels != blank) & (labels != _before(labels, blank))
    alphas = [_start(emitted)]
    for t in range(len(log_probs)):
        alphas.append(np.where(t < frames, _entered(alphas[t], jump) + emitted[t], alphas[t]))
    # beta[t, s]: the logarithm of the probability of spelling the rest in the frames after t, from state s.
    state = np.arange(len(labels))[:, None]
    last = (state == 2 * length) | (state == 2 * length - 1)
    betas = [np.where(last, 0.0, -np.inf)]
    for t in reversed(range(len(log_probs))):
        ahead = betas[0] + emitted[t]
        left = log_add_exp([ahead, _shifted(ahead, -1), _shifted(np.where(jump, ahead, -np.inf), -2)])
        betas.insert(0, np.where(t < frames, left, betas[0]))
    total = betas[0][0]  # everything begins in state 0
    possible = total > -np.inf
    posterior = np.exp(np.stack(alphas[1:]) + np.stack(betas[1:]) - np.where(possible, total, 0.0))
    of_class = np.expand_dims(labels, -1) == np.arange(log_probs.shape[-1])
    occupancy = np.where(of_class, np.expand_dims(posterior, -1), 0.0).sum(axis=1)
    slope = np.where(possible[:, None], -occupancy, 0.0 if zero_infinity else np.nan)
    heard = np.reshape(np.arange(len(log_probs)), (-1, 1, 1)) < frames[:, None]
    return (np.where(heard, slope, 0.0).reshape(shape),)


@ctc.denominator("mean")
def _(log_probs, targets, input_lengths, target_lengths, *, blank, zero_infinity):
    return np.maximum(target_lengths, 1) * np.size(target_lengths)


ctc.wrong("the blank is class 0 whatever was said", "target_lengths, blank)", "target_lengths, 0)")
ctc.wrong("a repeated label needs no blank between", " & (labels != _before(labels, blank))", "")
ctc.wrong("no blank is ever left out", "(labels != blank) & (labels != _before(labels, blank))", "labels < 0")
ctc.wrong("all frames count, whatever the input length", "t < frames", "t >= 0")
ctc.wrong("a path may not end in the last label", "length > 0, at_label", "length < 0, at_label")
ctc.wrong("an empty target counts its blanks twice", "length > 0, at_label", "length >= 0, at_label", thread="18215")
ctc.wrong("an input of no frames has one read", "t < frames", "t < np.maximum(frames, 1)", thread="84827, 88047")
ctc.wrong("zero_infinity ignored", " if zero_infinity else loss", " if False else loss")
ctc.wrong(
    "zero_infinity not heeded by the derivative", "0.0 if zero_infinity else np.nan", "np.nan", part="gradient", thread="16199"
)
ctc.wrong(
    "an empty target gets no derivative",
    "-occupancy,",
    "-occupancy * (length > 0)[:, None],",
    part="gradient",
    thread="18215",
)
ctc.wrong(
    "derivative divided by the target length whatever the reduction",
    "-occupancy,",
    "-occupancy / np.maximum(length, 1)[:, None],",
    part="gradient",
    thread="16093",
)
ctc.wrong("frames behind the input length get a derivative", "np.where(heard, slope, 0.0)", "slope", part="gradient")
ctc.wrong("mean not divided by the target lengths", "np.maximum(target_lengths, 1) *", "1.0 *", part="mean")
ctc.wrong(
    "mean over all the labels",
    "np.maximum(target_lengths, 1) * np.size(target_lengths)",
    "max(np.sum(target_lengths), 1)",
    "mean",
)

ctc.equivalent(
    "np.where(length > 0, at_label, -np.inf) → np.where(length > 0.001, at_label, -np.inf)",
    why="Lengths are whole numbers.",
)
ctc.equivalent(
    "by > 0 → by >= 0",
    "by > 0 → by > 0.001",
    why="States are moved by 1 or 2, up or down, and never by less.",
)
ctc.equivalent(
    "[np.where(last, 0.0, -np.inf)] → [np.where(last, 0.001, -np.inf)]",
    why="The same number is added to the probability of every path and to that of all of them, from which it is subtracted.",
)
ctc.equivalent(
    "np.where(possible, total, 0.0) → np.where(possible, total, 0.001)",
    why="The number stands in for the probability of a target that is impossible, whose derivative is set apart.",
)
ctc.equivalent(
    "(labels != blank) & (labels != _before(labels, blank)) → labels != _before(labels, blank)",
    within="ctc",
    why="Two states below a blank is a blank, but behind the last label of a target, and no path comes back from there.",
)
