from functools import partial
from typing import Any, NamedTuple

import numpy as np

from benchkit.contract import Refusal, at_least
from benchkit.spec import Tabulated, optimizer

CURVATURE = 1e-10  # a pair (step, change of gradient) is kept when their product exceeds this
SHORTEST_BRACKET = 1e-9  # a line search ends when its bracket moves no component of the parameter by more
SEARCH_ITERATIONS = 25  # a line search makes at most one evaluation more
SUFFICIENT_DECREASE, SUFFICIENT_FLATNESS = 1e-4, 0.9  # c1 and c2 of the strong Wolfe conditions


SEARCH = {"max_iter": 1, "max_eval": 25, "line_search_fn": "strong_wolfe"}
TABLES = (
    # The tolerances: numbers that are equal to them or hardly above. Without a search the steps are 1 or lr.
    Tabulated("gradient-at-tolerance", {"tolerance_grad": 2**-7}, [(1.0, 2**-7)]),
    Tabulated("gradient-above-tolerance", {"tolerance_grad": 2**-7}, [(1.0, 2**-7 + 2**-22)]),
    Tabulated("gradient-after-step", {"max_iter": 4, "tolerance_grad": 2**-7}, [(1.0, -1.0), (0.0, 2**-7), (-1.0, -1.0)]),
    Tabulated("slope-at-tolerance", {"tolerance_change": 2**-10}, [(1.0, -(2**-5)), (0.0, -1.0)]),
    Tabulated("slope-above-tolerance", {"tolerance_change": 2**-10}, [(1.0, -(2**-6)), (0.0, -1.0)]),
    Tabulated("step-at-tolerance", {"lr": 2**-10, "max_iter": 4, "tolerance_change": 2**-10}, [(1.0, -1.0), (0.0, -1.0)]),
    Tabulated("step-above-tolerance", {"lr": 2**-9, "max_iter": 4, "tolerance_change": 2**-10}, [(1.0, -2.0), (0.0, -1.0)]),
    # The change of the gradient, 1e-10 * 2**17, times the step, 2**-17.
    Tabulated(
        "curvature-at-least",
        {"max_iter": 2, "max_eval": 25, "tolerance_grad": 0.0, "tolerance_change": 0.0},
        [(1.0, -(2**-17)), (0.0, 1e-10 * 2**17 - 2**-17)],
    ),
    # Trials of a search. A line, and a cubic whose minimum the equation gives as 0 / 0.
    Tabulated("line", SEARCH, [(0.0, -(2**-12)), (-(2**-24), -(2**-12)), (-1.0, 0.0)]),
    Tabulated("zero-over-zero", SEARCH, [(0.0, -1.0), (-0.5, -2.0), (-1.0, 0.0)]),
    Tabulated("double-root", {**SEARCH, "max_eval": 6}, [(0.0, -1.0), (-1.0, -1.0), (0.0, -0.9), (-1.0625, 0.9)]),
    Tabulated("second-trial-higher", {**SEARCH, "max_eval": 3}, [(0.0, -1.0), (-0.125, -5.0), (-(2**-13), -7.0), (0.0, -0.5)]),
    Tabulated(
        "third-trial-alike", SEARCH, [(0.0, -1.0), (-1e-4, -5.0), (-128.0, -16.0), (-128.0, 0.5), (0.0, 2.0), (-128.0, 5.0)]
    ),
    # Narrow brackets: as short as the shortest, short along a long direction.
    Tabulated(
        "shortest-bracket",
        {**SEARCH, "lr": 2**-10, "tolerance_change": 0.0},
        [(0.0, -1e-9 * 2**10), (0.0, 1e-9 * 2**10), (-1.0, 0.0)],
    ),
    Tabulated("long-direction", {**SEARCH, "lr": 2**-10}, [(0.0, -(2.0**20)), (1.0, 1.0), (-1.0, 0.0)]),
    # Losses between the start's and the line of the first Wolfe condition, with slopes that belong to other functions: trials
    # at and beyond the ends of their bracket, brackets that turn round, losses that are equal, too few evaluations.
    Tabulated(
        "right-end", {**SEARCH, "lr": 4.0, "max_eval": 5}, [(0.0, -1.0), (-(2**-12), -0.25), (4.0, 2.0), (-(2**-12), 2**-10)]
    ),
    Tabulated(
        "out-of-evaluations", {**SEARCH, "lr": 4.0, "max_eval": 4}, [(0.0, -1.0), (-1.0, -7.0), (1.0, 2.0), (-1.0, -0.9)]
    ),
    Tabulated(
        "turned-round",
        {**SEARCH, "lr": 0.5},
        [
            (0.0, -1.0),
            (-(2**-22), -5.0),
            (-9 * 2**-22, -0.5),
            (4.0, 5.0),
            (-128.0, 16.0),
            (-128.0, -0.25),
            (-128.5, -5.0),
            (0.0, 3.0),
        ],
    ),
)


class Trial(NamedTuple):
    """A point of the line p + t d: the step t, the loss there, its gradient, and its slope along d."""

    t: Any
    loss: Any
    gradient: Any
    slope: Any


def two_loop(g, stps, dirs, ro, h_diag):
    """Multiply the inverse Hessian that the steps and gradient changes imply by -g: Nocedal and Wright, algorithm 7.4."""
    d, weights = -g, []
    for s, y, r in zip(reversed(stps), reversed(dirs), reversed(ro), strict=True):
        weights.append(r * np.dot(s, d))
        d = d - weights[-1] * y
    d = h_diag * d
    for s, y, r, weight in zip(stps, dirs, ro, reversed(weights), strict=True):
        d = d + (weight - r * np.dot(y, d)) * s
    return d


def cubic_minimum(a, b, low, high):
    """Find the minimum of the cubic through two trials: Nocedal and Wright, equation 3.59.

    Where the cubic only falls, half of the way from ``low`` to ``high``. Where the equation divides by 0, ``high`` if the cubic
    is a straight line or a parabola that opens downwards, which fall for ever, else ``low``: its minimum is between the trials.
    """
    if a.t > b.t:
        a, b = b, a
    width = b.t - a.t
    d1 = a.slope + b.slope - 3 * (b.loss - a.loss) / width
    square = d1 * d1 - a.slope * b.slope
    if square < 0:
        return (low + high) / 2
    d2 = np.sqrt(square)
    curvature = b.slope - a.slope + 2 * d2
    if curvature == 0:
        return high if d1 > 0 else low
    return b.t - width * (b.slope + d2 - d1) / curvature


def acceptable(trial, start):
    """The slope has become flat enough: the second of the strong Wolfe conditions."""
    return np.abs(trial.slope) <= -SUFFICIENT_FLATNESS * start.slope


def too_high(trial, start):
    """The loss has not decreased enough: the first of the strong Wolfe conditions fails."""
    return trial.loss > start.loss + SUFFICIENT_DECREASE * trial.t * start.slope


def try_step(closure, p, d, t):
    """Evaluate the loss at p + t d."""
    loss, g = closure(p + t * d)
    return Trial(t, loss, g, np.dot(g, d))


def zoom(along, start, bracket, longest, iterations):
    """Narrow the bracket around an acceptable step: Nocedal and Wright, algorithm 3.6. Give lowest trial and evaluations.

    ``longest`` is the largest component of the direction. A trial that falls within a tenth of the bracket's ends twice
    in a row, or outside, is moved to a tenth inside (minFunc).
    """
    evaluations, close_before = 0, False
    while evaluations < iterations:
        left, right = (bracket[i].t for i in ((0, 1) if bracket[0].t < bracket[1].t else (1, 0)))
        if (right - left) * longest < SHORTEST_BRACKET:
            break
        t, margin = cubic_minimum(*bracket, left, right), 0.1 * (right - left)
        close = bool(np.minimum(right - t, t - left) < margin)
        if close and (close_before or t >= right or t <= left):
            t, close = (right - margin if np.abs(t - right) < np.abs(t - left) else left + margin), False
        close_before = close
        trial, evaluations = along(t), evaluations + 1
        low = 0 if bracket[0].loss <= bracket[1].loss else 1
        best, other = bracket[low], bracket[1 - low]
        if too_high(trial, start) or trial.loss >= best.loss:
            bracket[1 - low] = trial
            continue
        bracket[low] = trial
        if acceptable(trial, start):
            break
        if trial.slope * (other.t - best.t) >= 0:
            bracket[1 - low] = best
    return (bracket[0] if bracket[0].loss <= bracket[1].loss else bracket[1]), evaluations


def strong_wolfe(along, start, t, longest, iterations):
    """Find a step that satisfies the strong Wolfe conditions: Nocedal and Wright, algorithm 3.5. Give trial and evaluations.

    Until the bracket contains one, the step is extrapolated by the cubic, by 1 % of the last stride at least and to ten
    times the step at most (minFunc).
    """
    previous, trial = start, along(t)
    for done in range(iterations):
        if too_high(trial, start) or (done > 1 and trial.loss >= previous.loss):
            break
        if acceptable(trial, start):
            return trial, done + 1
        if trial.slope >= 0:
            break
        low, high = trial.t + 0.01 * (trial.t - previous.t), 10 * trial.t
        t = np.minimum(np.maximum(cubic_minimum(previous, trial, low, high), low), high)
        previous, trial = trial, along(t)
    else:
        return (start if start.loss <= trial.loss else trial), iterations + 1
    best, evaluations = zoom(along, start, [previous, trial], longest, iterations - done)
    return best, done + 1 + evaluations


def update_history(state, g, history_size):
    """Add the last step and the change of the gradient that it made, unless their product is too small to trust."""
    history = {name: state[name] for name in ("old_dirs", "old_stps", "ro", "H_diag")}
    y, s = g - state["prev_flat_grad"], state["d"] * state["t"]
    ys = np.dot(y, s)
    if ys > CURVATURE:
        for name, new in (("old_dirs", y), ("old_stps", s), ("ro", 1.0 / ys)):
            history[name] = [*history[name], new][-history_size:]
        history["H_diag"] = ys / np.dot(y, y)
    return history


def direction(state, g, lr, history_size):
    """Choose the next direction and the first step to try along it; steepest descent, and a careful step, at the very first."""
    if state["n_iter"] == 0:
        history = {"old_dirs": [], "old_stps": [], "ro": [], "H_diag": 1.0}
        d, t = -g, np.minimum(1.0, 1.0 / np.sum(np.abs(g))) * lr
    else:
        history = update_history(state, g, history_size)
        d, t = two_loop(g, history["old_stps"], history["old_dirs"], history["ro"], history["H_diag"]), lr
    return history | {"n_iter": state["n_iter"] + 1, "d": d, "t": t}


@optimizer(
    "torch.optim.LBFGS",
    options={
        # From 0.01 a line search needs several evaluations. At 0.1 the slope of a quadratic falls to exactly 0.9 of its start:
        # a tie of the second Wolfe condition.
        "lr": [1.0, 0.01],
        "max_iter": [20, 4],
        "max_eval": [None, 2],
        "tolerance_grad": [1e-7, 1e-2],
        "tolerance_change": [1e-9, 1e-3],
        "history_size": [100, 2],
        "line_search_fn": [None, "strong_wolfe"],
    },
    edge_options={
        "lr": [0.0],
        "max_iter": [1],
        "max_eval": [1],
        "tolerance_change": [0.0],
        "history_size": [1],
    },
    together=[
        {"tolerance_grad": 0.0, "tolerance_change": 0.0},
        {"lr": 0.01, "max_iter": 4, "history_size": 2, "line_search_fn": "strong_wolfe"},
        # Of two evaluations by default; steps so long that a search turns its bracket round; steps that are shorter than the
        # tolerance while the loss still changes by more.
        {"max_iter": 2},
        {"lr": 10.0, "max_iter": 1, "max_eval": 25, "line_search_fn": "strong_wolfe"},
        {"lr": 100.0, "max_iter": 1, "max_eval": 25, "line_search_fn": "strong_wolfe"},
        {"lr": 0.01, "tolerance_change": 5e-3},
        # On a line that is no cubic: brackets that are narrowed many times, from either side, and searches that run out.
        {"lr": 1.0, "max_iter": 1, "max_eval": 25, "tolerance_change": 1e-2, "line_search_fn": "strong_wolfe"},
        {"lr": 4.0, "max_iter": 1, "max_eval": 25, "line_search_fn": "strong_wolfe"},
        {"lr": 32.0, "max_iter": 1, "max_eval": 25, "line_search_fn": "strong_wolfe"},
        {"lr": 2.0, "max_iter": 4, "max_eval": 10, "line_search_fn": "strong_wolfe"},
    ],
    tags={"closure"},
    learning_rates=(0.1, 10.0, 5),
    paths=("forloop",),
    scratch=("al",),
    tabulated=TABLES,
    # The gradient, the direction and two history vectors at least; each pair of the history adds 4 reads.
    bytes_per_element=8,
    document="3.6",
    # The natural length of a quasi-Newton step.
    contract=[
        *at_least("lr", ways=("constructor", "group")),
        Refusal(
            "two groups",
            "there can be only one",
            lines='answer = step(make([{"params": [p]}, {"params": [q]}]))',
        ),
        Refusal(
            "an added group",
            "there can be only one",
            lines='optimizer = make([p])\noptimizer.add_param_group({"params": [q]})\nanswer = step(optimizer)',
        ),
        Refusal(
            "an unknown line search",
            "line_search_fn: either 'strong_wolfe' or None",
            options={"line_search_fn": "weak_wolfe"},
            ways=("constructor", "group"),
        ),
        Refusal("no closure", lines="answer = make([p, q])\nanswer.step()"),
    ],
    source="Nocedal and Wright, Numerical optimization, 2006, algorithms 3.5, 3.6 and 7.4; Schmidt, minFunc, 2005",
)
def lbfgs(closure, p, state, *, lr, max_iter, max_eval, tolerance_grad, tolerance_change, history_size, line_search_fn):
    """Make up to max_iter quasi-Newton iterations with an inverse Hessian built from the last history_size steps.

    Formula: d = -H g by the two-loop recursion over pairs s (step) and y (change of g) with y.s > 1e-10, started from
        H0 = y.s / y.y; p = p + t d with t = lr, at the very first iteration d = -g and t = min(1, 1 / sum(abs(g))) lr; with
        line_search_fn "strong_wolfe" t is where the search from there finds the strong Wolfe conditions (c1 = 1e-4, c2 = 0.9).
        It ends after max_iter iterations, when max_eval evaluations were made, when max(abs(g)) <= tolerance_grad,
        max(abs(d t)) <= tolerance_change or abs(change of the loss) < tolerance_change, or when the slope d.g exceeds
        -tolerance_change.
    Shapes: p and g are one flat vector; closure(p) gives (loss, gradient). Returns (p, state, loss at the start).
    State: func_evals, n_iter, and after the first iteration d, t, old_dirs (y), old_stps (s), ro (1 / y.s), H_diag,
        prev_flat_grad and prev_loss (both at the start of the last iteration). torch's scratch list al is no state.
    Domain: a differentiable loss that is finite where it is evaluated; history_size >= 1.
    Ties: of two equal losses the bracket's older end counts as the lower one.
    Where torch differs: max_eval (None: max_iter * 5 // 4) is documented as the most evaluations of a step; it stops
        iterations at that number, and a line search makes one trial and at most min(25, max_eval - evaluations) more: one
        evaluation too many is possible (issue 91581, partly mended). The line search has its own tolerance, 1e-9, where
        minFunc takes tolerance_change. A second step of equal or higher loss ends the
        bracketing of minFunc only from the third trial on, that of algorithm 3.5 from the second. minFunc gives up
        on a NaN or infinite loss with a plain backtracking; torch does not. Where the equation of the cubic's minimum is 0 / 0
        torch steps by NaN. It keeps 1 / y.s in the parameter's format: in
        float16 that is infinite for y.s below 1.5e-5, near any minimum, and the next direction NaN.
    Source: Nocedal and Wright, 2006; Schmidt, minFunc, 2005, which torch.optim.LBFGS names as its model.
    """
    max_eval = max_iter * 5 // 4 if max_eval is None else max_eval
    loss, g = closure(p)
    first_loss, evaluations = loss, 1
    state = state | {"func_evals": state["func_evals"] + 1}
    if np.max(np.abs(g)) <= tolerance_grad:
        return p, state, first_loss

    for iteration in range(1, max_iter + 1):
        state = state | direction(state, g, lr, history_size) | {"prev_flat_grad": g, "prev_loss": loss}
        d, t, slope = state["d"], state["t"], np.dot(g, state["d"])
        if slope > -tolerance_change:
            break
        made = 0
        if line_search_fn == "strong_wolfe":
            iterations = min(SEARCH_ITERATIONS, max_eval - evaluations)
            trial, made = strong_wolfe(
                partial(try_step, closure, p, d), Trial(0.0, loss, g, slope), t, np.max(np.abs(d)), iterations
            )
            t, loss, g = trial.t, trial.loss, trial.gradient
        p = p + t * d
        # Without a search the loss at the new point is needed for another iteration only.
        if line_search_fn is None and iteration < max_iter:
            loss, g = closure(p)
            made = 1
        evaluations += made
        state = state | {"t": t, "func_evals": state["func_evals"] + made}
        if evaluations >= max_eval or np.max(np.abs(g)) <= tolerance_grad:
            break
        if np.max(np.abs(t * d)) <= tolerance_change or np.abs(loss - state["prev_loss"]) < tolerance_change:
            break
    return p, state, first_loss


@lbfgs.initial
def _(p, **_options):
    return {"func_evals": 0, "n_iter": 0}


lbfgs.wrong(
    "strong_wolfe ignores max_eval", "min(SEARCH_ITERATIONS, max_eval - evaluations)", "SEARCH_ITERATIONS", thread="91581"
)
lbfgs.wrong("first step does not stop at the tolerance", "if np.max(np.abs(g)) <= tolerance_grad", "if False", thread="1039")
lbfgs.wrong("max_eval ignored between iterations", "evaluations >= max_eval or ", "")
lbfgs.wrong("tolerance on the loss ignored", ' or np.abs(loss - state["prev_loss"]) < tolerance_change', "")
lbfgs.wrong("line search ignored", 'if line_search_fn == "strong_wolfe"', "if False")
lbfgs.wrong("change of the loss measured from the start", '"prev_loss": loss', '"prev_loss": first_loss')
lbfgs.wrong("history never shortened", "[-history_size:]", "", helper=update_history)
lbfgs.wrong("newest pairs forgotten first", "[-history_size:]", "[:history_size]", helper=update_history)
lbfgs.wrong("first direction not shortened", "np.minimum(1.0, 1.0 / np.sum(np.abs(g)))", "1.0", helper=direction)
lbfgs.wrong("first direction scaled by the largest gradient", "np.sum(np.abs(g))", "np.max(np.abs(g))", helper=direction)
lbfgs.wrong("inverse Hessian started from the wrong quotient", "ys / np.dot(y, y)", "np.dot(s, s) / ys", helper=update_history)
lbfgs.wrong("second loop runs over the oldest weight first", "reversed(weights)", "weights", helper=two_loop)
lbfgs.wrong("inverse Hessian not scaled", "h_diag * d", "d", helper=two_loop)
lbfgs.wrong("cubic replaced by bisection", "if square < 0", "if True", helper=cubic_minimum)
lbfgs.wrong("curvature constant of conjugate gradients, 0.1", "-SUFFICIENT_FLATNESS", "-0.1", helper=acceptable)

lbfgs.equivalent(
    "a.t > b.t → a.t >= b.t",
    why="Two trials at one place leave 0 / 0 in either order.",
)
lbfgs.equivalent(
    "high if d1 > 0 else low → high if d1 >= 0 else low",
    why="With d1 = 0 the cubic is a parabola with its top in the middle: it falls for ever on either side.",
)
lbfgs.equivalent(
    "cubic_minimum(previous, trial, low, high) → cubic_minimum(trial, previous, low, high)",
    why="The cubic through two trials does not know which of them came first.",
)
lbfgs.equivalent(
    "done > 1 and trial.loss >= previous.loss → done > 1.001 and trial.loss >= previous.loss",
    why="Trials are counted in whole numbers.",
)
lbfgs.equivalent(
    "trial.slope >= 0 → trial.slope > 0",
    "trial.slope * (other.t - best.t) >= 0 → trial.slope * (other.t - best.t) > 0",
    why="A slope of 0 is acceptable, which is asked before; the ends of a bracket that is searched are apart.",
)
lbfgs.equivalent(
    "trial.slope * (other.t - best.t) >= 0 → trial.slope / (other.t - best.t) >= 0",
    why="A quotient has the sign of the product.",
)
lbfgs.equivalent(
    "bracket[0].t < bracket[1].t → bracket[0].t <= bracket[1].t",
    why="Of two ends at one place either is the left one.",
)
lbfgs.equivalent(
    "bool(np.minimum(right - t, t - left) < margin) → bool(np.minimum(right - t, t - left) <= margin)",
    why="A tenth is no number of any format: where a trial is as far from the end, rounding decides.",
)
lbfgs.equivalent(
    "np.abs(t - right) < np.abs(t - left) → np.abs(t - right) <= np.abs(t - left)",
    why="A trial that is moved is within a tenth of one end or beyond it, and never in the middle.",
)
lbfgs.equivalent(
    "close_before or t >= right or t <= left → close_before or t > right or t <= left",
    "close_before or t >= right or t <= left → close_before or t >= right or t < left",
    why="The minimum is at an end only where the slope is 0 there; no such bracket comes without roundings, which then decide.",
)
