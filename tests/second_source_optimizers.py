"""The optimizers once more, for one parameter at 50 digits and without recursion; slow and independent of reference/.

``SECOND`` holds by item slug ``f(p, gradients, touched, **options)``, which yields (p, state) after every step. Running
averages are written out as sums over the whole history of gradients, maxima as maxima over it, and L-BFGS with matrices. An
item with a closure has ``f(closure, p, steps, **options)`` instead, which yields the vector after every step.
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


SECOND = {f.__name__: f for f in (adam, adamw, sgd, rmsprop, asgd, adadelta, adagrad, adamax, rprop, sparse_adam, lbfgs)}
