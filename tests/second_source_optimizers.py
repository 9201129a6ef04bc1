"""The optimizers once more, for one parameter at 50 digits and without recursion; slow and independent of reference/.

``SECOND`` holds by item slug ``f(p, gradients, touched, **options)``, which yields (p, state) after every step. Running
averages are written out as sums over the whole history of gradients, maxima as maxima over it, and L-BFGS with matrices. An
item with a closure has ``f(closure, p, steps, **options)`` instead, which yields the vector after every step; one that is not
elementwise ``f(p, gradients, shape, **options)`` with tensors as dictionaries from index to number.
"""

import mpmath
from mpmath import mpf


def seen(p, g, maximize, weight_decay=0):
    """The gradient that the averages see."""
    return (-g if maximize else g) + weight_decay * p


def average(terms, decay):
    """The exponential average of ``terms``, oldest first, that starts at 0: its weights add up to 1 - decay**n."""
    return (1 - decay) * mpmath.fsum(decay ** (len(terms) - 1 - i) * x for i, x in enumerate(terms))


def adam(p, gradients, touched, *, lr, betas, eps, weight_decay, amsgrad, maximize, decoupled_weight_decay):
    history, seconds = [], []
    b1, b2 = map(mpf, betas)
    for t, g in enumerate(gradients, 1):
        history.append(seen(p, g, maximize, 0 if decoupled_weight_decay else weight_decay))
        m, v = average(history, b1), average([h**2 for h in history], b2)
        seconds.append(v)
        top = max(seconds) if amsgrad else v
        shrunk = p * (1 - mpf(lr) * weight_decay) if decoupled_weight_decay else p
        p = shrunk - lr * (m / (1 - b1**t)) / (mpmath.sqrt(top / (1 - b2**t)) + eps)
        yield p, {"step": t, "exp_avg": m, "exp_avg_sq": v} | ({"max_exp_avg_sq": top} if amsgrad else {})


def adamw(p, gradients, touched, **options):
    return adam(p, gradients, touched, decoupled_weight_decay=True, **options)


def sgd(p, gradients, touched, *, lr, momentum, dampening, weight_decay, nesterov, maximize):
    history, mu = [], mpf(momentum)
    for t, g in enumerate(gradients, 1):
        history.append(seen(p, g, maximize, weight_decay))
        weights = [mu ** (t - 1)] + [mu ** (t - 1 - i) * (1 - mpf(dampening)) for i in range(1, t)]
        b = mpmath.fdot(weights, history) if momentum else history[-1]  # dampening belongs to the momentum
        p -= lr * (history[-1] + mu * b if nesterov else b)
        yield p, {"momentum_buffer": b} if momentum else {}


def rmsprop(p, gradients, touched, *, lr, alpha, eps, weight_decay, momentum, centered, maximize):
    history, ratios, mu = [], [], mpf(momentum)
    for t, g in enumerate(gradients, 1):
        history.append(seen(p, g, maximize, weight_decay))
        v, a = average([h**2 for h in history], mpf(alpha)), average(history, mpf(alpha))
        ratios.append(history[-1] / (mpmath.sqrt(v - a**2 if centered else v) + eps))
        b = mpmath.fsum(mu ** (t - 1 - i) * r for i, r in enumerate(ratios))
        p -= lr * b
        yield (
            p,
            {"step": t, "square_avg": v} | ({"grad_avg": a} if centered else {}) | ({"momentum_buffer": b} if momentum else {}),
        )


def asgd(p, gradients, touched, *, lr, lambd, alpha, t0, weight_decay, maximize):
    path = []
    for t, g in enumerate(gradients, 1):
        eta = lr / (1 + mpf(lambd) * lr * (t - 1)) ** mpf(alpha)
        p -= eta * (seen(p, g, maximize, weight_decay) + lambd * p)
        path.append(p)
        averaged = path[max(0, min(t - 1, int(t0) + 1)) :]  # the mean from step t0 + 2 on, before that the parameter itself
        yield (
            p,
            {
                "step": t,
                "eta": lr / (1 + mpf(lambd) * lr * t) ** mpf(alpha),
                "mu": 1 / mpf(t - t0) if t - t0 > 1 else 1,
                "ax": mpmath.fsum(averaged) / len(averaged),
            },
        )


def adadelta(p, gradients, touched, *, lr, rho, eps, weight_decay, maximize):
    squares, steps = [], []
    for t, g in enumerate(gradients, 1):
        g = seen(p, g, maximize, weight_decay)
        squares.append(g**2)
        v, u = average(squares, mpf(rho)), average(steps, mpf(rho))
        d = g * mpmath.sqrt((u + eps) / (v + eps))
        steps.append(d**2)
        p -= lr * d
        yield p, {"step": t, "square_avg": v, "acc_delta": average(steps, mpf(rho))}


def adagrad(p, gradients, touched, *, lr, lr_decay, weight_decay, initial_accumulator_value, eps, maximize):
    history = []
    for t, g in enumerate(gradients, 1):
        history.append(seen(p, g, maximize, weight_decay))
        total = mpmath.fsum(history, squared=True) + initial_accumulator_value
        p -= lr / (1 + (t - 1) * mpf(lr_decay)) * history[-1] / (mpmath.sqrt(total) + eps)
        yield p, {"step": t, "sum": total}


def adamax(p, gradients, touched, *, lr, betas, eps, weight_decay, maximize):
    history, (b1, b2) = [], map(mpf, betas)
    for t, g in enumerate(gradients, 1):
        history.append(seen(p, g, maximize, weight_decay))
        m = average(history, b1)
        u = max(b2 ** (t - 1 - i) * (abs(h) + eps) for i, h in enumerate(history))
        p -= lr * m / ((1 - b1**t) * u)
        yield p, {"step": t, "exp_avg": m, "exp_inf": u}


def rprop(p, gradients, touched, *, lr, etas, step_sizes, maximize):
    size, previous = mpf(lr), 0
    for t, g in enumerate(gradients, 1):
        g = seen(p, g, maximize)
        if mpmath.sign(g) * mpmath.sign(previous) == 1:
            size = min(size * etas[1], step_sizes[1])
        elif mpmath.sign(g) * mpmath.sign(previous) == -1:
            size, g = max(size * etas[0], step_sizes[0]), mpf(0)
        p, previous = p - size * mpmath.sign(g), g
        yield p, {"step": t, "prev": g, "step_size": size}


def sparse_adam(p, gradients, touched, *, lr, betas, eps, maximize):
    history, (b1, b2) = [], map(mpf, betas)
    m = v = mpf(0)
    for t, (g, here) in enumerate(zip(gradients, touched, strict=True), 1):
        if here:
            history.append(seen(p, g, maximize))
            m, v = average(history, b1), average([h**2 for h in history], b2)
            # The eps of algorithm 1 that makes it the form of the paper's section 2.
            p -= lr * (m / (1 - b1**t)) / (mpmath.sqrt(v / (1 - b2**t)) + eps / mpmath.sqrt(1 - b2**t))
        yield p, {"step": t, "exp_avg": m, "exp_avg_sq": v}


def lbfgs(closure, p, steps, *, lr, max_iter, max_eval, tolerance_grad, tolerance_change, history_size, line_search_fn):
    """Without a line search: the inverse Hessian as a matrix, updated from a multiple of I by Nocedal and Wright, eq. 6.17."""
    assert line_search_fn is None
    p, pairs, before = mpmath.matrix(p), [], None
    for _ in range(steps):
        loss, g = closure(p)
        evaluations, iteration = 1, 0
        while mpmath.norm(g, mpmath.inf) > tolerance_grad:
            iteration += 1
            if before is None:
                d, t = -g, lr * min(1, 1 / mpmath.norm(g, 1))
            else:
                s, y = before[0], g - before[1]
                if (y.T * s)[0] > 1e-10:
                    pairs = [*pairs, (s, y)][-history_size:]
                d, t = -inverse_hessian(pairs, len(p)) * g, lr
            before = t * d, g
            if (g.T * d)[0] > -tolerance_change:
                break
            p = p + t * d
            if iteration == max_iter:
                break
            old, (loss, g), evaluations = loss, closure(p), evaluations + 1
            if evaluations >= (max_iter * 5 // 4 if max_eval is None else max_eval):
                break
            if mpmath.norm(t * d, mpmath.inf) <= tolerance_change or abs(loss - old) < tolerance_change:
                break
        yield p


def inverse_hessian(pairs, size):
    one = mpmath.eye(size)
    h = one * ((pairs[-1][1].T * pairs[-1][0])[0] / (pairs[-1][1].T * pairs[-1][1])[0]) if pairs else one
    for s, y in pairs:
        rho = 1 / (y.T * s)[0]
        v = one - rho * y * s.T
        h = v.T * h * v + rho * s * s.T
    return h


def nadam(p, gradients, touched, *, lr, betas, eps, weight_decay, momentum_decay, decoupled_weight_decay, maximize):
    history, (b1, b2) = [], map(mpf, betas)

    def mu(t):
        return b1 * (1 - mpf("0.96") ** (t * mpf(momentum_decay)) / 2)

    for t, g in enumerate(gradients, 1):
        history.append(seen(p, g, maximize, 0 if decoupled_weight_decay else weight_decay))
        m, v = average(history, b1), average([h**2 for h in history], b2)
        here, next_one = (mpmath.fprod(mu(i) for i in range(1, last + 1)) for last in (t, t + 1))
        look_ahead = mu(t + 1) * m / (1 - next_one) + (1 - mu(t)) * history[-1] / (1 - here)
        shrunk = p * (1 - mpf(lr) * weight_decay) if decoupled_weight_decay else p
        p = shrunk - lr * look_ahead / (mpmath.sqrt(v / (1 - b2**t)) + eps)
        yield p, {"step": t, "mu_product": here, "exp_avg": m, "exp_avg_sq": v}


def radam(p, gradients, touched, *, lr, betas, eps, weight_decay, decoupled_weight_decay, maximize):
    history, (b1, b2) = [], map(mpf, betas)
    for t, g in enumerate(gradients, 1):
        history.append(seen(p, g, maximize, 0 if decoupled_weight_decay else weight_decay))
        m, v = average(history, b1), average([h**2 for h in history], b2)
        p = p * (1 - mpf(lr) * weight_decay) if decoupled_weight_decay else p
        # The length of an average whose weights are b2**i: twice the mean age of the gradients in it, plus one.
        weights = [b2**i for i in range(t)]
        length = 2 * mpmath.fsum(i * w for i, w in enumerate(weights)) / mpmath.fsum(weights) + 1
        longest = 2 * b2 / (1 - b2) + 1
        step = lr * m / (1 - b1**t)
        if length > 5:
            variance = (longest - 4) * (longest - 2) / longest / ((length - 4) * (length - 2) / length)
            step /= mpmath.sqrt(variance) * (mpmath.sqrt(v) + eps) / mpmath.sqrt(1 - b2**t)
        p -= step
        yield p, {"step": t, "exp_avg": m, "exp_avg_sq": v}


def adafactor(p, gradients, shape, *, lr, beta2_decay, eps, d, weight_decay, maximize):
    """Weights of the gradients so far written out; loops over the elements."""
    eps1, eps2 = mpf(2) ** -52 if eps[0] is None else mpf(eps[0]), mpf(eps[1])
    squares = []
    for t, g in enumerate(gradients, 1):
        squares.append({i: x**2 for i, x in g.items()})
        share = [mpf(s) ** beta2_decay for s in range(1, t + 1)]
        weights = [share[s] * mpmath.fprod(1 - x for x in share[s + 1 :]) for s in range(t)]
        mean = {i: mpmath.fdot(weights, [q[i] for q in squares]) for i in g}
        state = {"step": t}
        if len(shape) > 1:
            row, col = mean_over(mean, -1), mean_over(mean, -2)
            state |= {"row_var": row, "col_var": col}
            whole = mean_over(row, -2)
            v = {i: row[(*i[:-1], 0)] * col[(*i[:-2], 0, i[-1])] / max(whole[(*i[:-2], 0, 0)], eps1) for i in g}
        else:
            state["variance"] = v = mean
        u = {i: (-g[i] if maximize else g[i]) / max(mpmath.sqrt(v[i]), eps1) for i in g}
        alpha = max(eps2, root_mean_square(p)) * min(mpf(lr), 1 / mpmath.sqrt(t))
        p = {i: p[i] * (1 - mpf(lr) * weight_decay) - alpha * u[i] / max(1, root_mean_square(u) / d) for i in p}
        yield p, state


def mean_over(tensor, axis):
    """The mean along an axis, counted from the end, of a dictionary of elements."""
    found = {}
    for index, x in tensor.items():
        kept = list(index)
        kept[axis] = 0
        found.setdefault(tuple(kept), []).append(x)
    return {index: mpmath.fsum(terms) / len(terms) for index, terms in found.items()}


def root_mean_square(tensor):
    return mpmath.sqrt(mpmath.fsum(tensor.values(), squared=True) / len(tensor))


def muon(p, gradients, shape, *, lr, weight_decay, momentum, nesterov, ns_coefficients, eps, ns_steps, adjust_lr_fn):
    """The iteration is odd and polynomial, so that it acts on each singular value alone."""
    (rows, columns), (a, b, c), mu, history = shape, map(mpf, ns_coefficients), mpf(momentum), []
    for t, g in enumerate(gradients, 1):
        history.append(g)
        buffer = {i: mpmath.fsum(mu ** (t - 1 - s) * h[i] for s, h in enumerate(history)) for i in p}
        ahead = {i: g[i] + mu * buffer[i] for i in p} if nesterov else buffer
        matrix = mpmath.matrix(rows, columns)
        for i, x in ahead.items():
            matrix[i] = x
        u, values, v = mpmath.svd_r(matrix)
        values = [x / (mpmath.norm(values) + eps) for x in values]
        for _ in range(ns_steps):
            values = [a * x + b * x**3 + c * x**5 for x in values]
        pushed = u * mpmath.diag(values) * v
        ratio = 0.2 * mpmath.sqrt(max(shape)) if adjust_lr_fn == "match_rms_adamw" else mpmath.sqrt(max(1, mpf(rows) / columns))
        p = {i: p[i] * (1 - mpf(lr) * weight_decay) - lr * ratio * pushed[i] for i in p}
        yield p, {"momentum_buffer": buffer}


ELEMENTWISE = (adam, adamw, sgd, rmsprop, asgd, adadelta, adagrad, adamax, rprop, sparse_adam, nadam, radam)
SECOND = {f.__name__: f for f in (*ELEMENTWISE, adafactor, muon, lbfgs)}
