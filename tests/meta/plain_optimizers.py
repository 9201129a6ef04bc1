"""Right optimizers as users write them: other names in the state, fewer features, another order of the same steps.

``RIGHT`` maps each class to the torch class in whose place it stands, ``IN_EVERY_FORMAT`` those that neither overflow nor
lose a small number in float16, ``WRONG`` those that have a fault.
"""

from __future__ import annotations

import torch


class WithoutClosure(torch.optim.Optimizer):
    """SGD with momentum that takes no closure, and whose buffer has a name of its own."""

    def __init__(self, params, lr=1e-3, momentum=0.0, dampening=0.0, weight_decay=0.0):
        super().__init__(params, {"lr": lr, "momentum": momentum, "dampening": dampening, "weight_decay": weight_decay})

    @torch.no_grad()
    def step(self):
        for group in self.param_groups:
            for p in group["params"]:
                if p.grad is None:
                    continue
                g = p.grad + group["weight_decay"] * p
                if group["momentum"]:
                    state = self.state[p]
                    if "velocity" in state:
                        state["velocity"] = group["momentum"] * state["velocity"] + (1 - group["dampening"]) * g
                    else:
                        state["velocity"] = g.clone()
                    g = state["velocity"]
                p -= group["lr"] * g


class CountsInPython(torch.optim.Optimizer):
    """Adam whose counter is an int, and that holds its moments in one entry."""

    def __init__(self, params, lr=1e-3, betas=(0.9, 0.999), eps=1e-8, weight_decay=0.0):
        super().__init__(params, {"lr": lr, "betas": betas, "eps": eps, "weight_decay": weight_decay})

    @torch.no_grad()
    def step(self, closure=None):
        loss = None
        if closure is not None:
            with torch.enable_grad():
                loss = closure()
        for group in self.param_groups:
            b1, b2 = group["betas"]
            for p in group["params"]:
                if p.grad is None:
                    continue
                g = p.grad.add(p, alpha=group["weight_decay"])
                state = self.state[p]
                if not state:
                    state["t"] = 0
                    state["moments"] = [torch.zeros_like(p), torch.zeros_like(p)]
                m, v = state["moments"]
                state["t"] += 1
                m.lerp_(g, 1 - b1)
                v.mul_(b2).addcmul_(g, g, value=1 - b2)
                root = (v / (1 - b2 ** state["t"])).sqrt_().add_(group["eps"])
                p.addcdiv_(m, root, value=-group["lr"] / (1 - b1 ** state["t"]))
        return loss


class Derived(torch.optim.Adam):
    """torch's own step, with a log beside it."""

    def __init__(self, params, lr=1e-3, betas=(0.9, 0.999), eps=1e-8, weight_decay=0.0, amsgrad=False):
        super().__init__(params, lr, betas, eps, weight_decay, amsgrad)
        self.log = []

    def step(self, closure=None):
        loss = super().step(closure)
        getattr(self, "log", []).append(len(self.state))
        return loss


class ReadyAtOnce(torch.optim.Optimizer):
    """RMSprop whose constructor makes the state of every parameter, and add_param_group that of the new ones."""

    def __init__(self, params, lr=1e-2, alpha=0.99, eps=1e-8, weight_decay=0.0):
        super().__init__(params, {"lr": lr, "alpha": alpha, "eps": eps, "weight_decay": weight_decay})

    def add_param_group(self, param_group):
        super().add_param_group(param_group)
        for p in self.param_groups[-1]["params"]:
            self.state[p] = {"step": torch.tensor(0.0), "square_avg": torch.zeros_like(p)}

    @torch.no_grad()
    def step(self, closure=None):
        for group in self.param_groups:
            for p in group["params"]:
                if p.grad is None:
                    continue
                state, g = self.state[p], p.grad + group["weight_decay"] * p
                state["step"] += 1
                state["square_avg"] += (1 - group["alpha"]) * (g * g - state["square_avg"])
                p -= group["lr"] * g / (state["square_avg"].sqrt() + group["eps"])


class Flat(torch.optim.Optimizer):
    """Adagrad over one flat vector for each format of a group."""

    def __init__(self, params, lr=1e-2, lr_decay=0.0, weight_decay=0.0, initial_accumulator_value=0.0, eps=1e-10):
        super().__init__(
            params,
            {
                "lr": lr, "lr_decay": lr_decay, "weight_decay": weight_decay,
                "initial_accumulator_value": initial_accumulator_value, "eps": eps,
            },
        )  # fmt: skip

    @torch.no_grad()
    def step(self, closure=None):
        for group in self.param_groups:
            given = [p for p in group["params"] if p.grad is not None]
            for dtype in {p.dtype for p in given}:
                self.together([p for p in given if p.dtype == dtype], group)

    def together(self, parameters, group):
        for p in parameters:
            if not self.state[p]:
                self.state[p] = {"step": torch.tensor(0.0), "sum": torch.full_like(p, group["initial_accumulator_value"])}
            self.state[p]["step"] += 1
        p = torch.cat([p.reshape(-1) for p in parameters])
        g = torch.cat([p.grad.reshape(-1) for p in parameters]) + group["weight_decay"] * p
        total = torch.cat([self.state[p]["sum"].reshape(-1) for p in parameters]) + g * g
        late = [group["lr"] / (1 + (float(self.state[p]["step"]) - 1) * group["lr_decay"]) for p in parameters]
        sizes = [p.numel() for p in parameters]
        rest = g / (total.sqrt() + group["eps"])
        for one, rate, update, sums in zip(parameters, late, rest.split(sizes), total.split(sizes), strict=True):
            one -= rate * update.reshape(one.shape)
            self.state[one]["sum"].copy_(sums.reshape(one.shape))


class SignsMultiplied(torch.optim.Optimizer):
    """Rprop by the product of two signs."""

    def __init__(self, params, lr=1e-2, etas=(0.5, 1.2), step_sizes=(1e-6, 50.0), *, maximize=False):
        super().__init__(params, {"lr": lr, "etas": etas, "step_sizes": step_sizes, "maximize": maximize})

    @torch.no_grad()
    def step(self, closure=None):
        for group in self.param_groups:
            for p in group["params"]:
                if p.grad is not None:
                    self.state[p] = self.state[p] or {"sign": torch.zeros_like(p), "size": torch.full_like(p, group["lr"])}
                    self.one(p, p.grad.sign() * (-1 if group["maximize"] else 1), self.state[p], group)

    def one(self, p, sign, state, group):
        (down, up), (smallest, largest) = group["etas"], group["step_sizes"]
        turn = sign * state["sign"]
        shorter, longer = (state["size"] * down).clamp(min=smallest), (state["size"] * up).clamp(max=largest)
        state["size"] = torch.where(turn > 0, longer, torch.where(turn < 0, shorter, state["size"]))
        state["sign"] = sign.masked_fill(turn < 0, 0.0)
        p -= state["sign"] * state["size"]


class RatesAnew(torch.optim.Optimizer):
    """ASGD that makes its rates in the step that uses them, from a counter alone."""

    def __init__(self, params, lr=1e-2, lambd=1e-4, alpha=0.75, t0=1e6, weight_decay=0.0, *, maximize=False):
        defaults = {"lr": lr, "lambd": lambd, "alpha": alpha, "t0": t0}
        super().__init__(params, {**defaults, "weight_decay": weight_decay, "maximize": maximize})

    @torch.no_grad()
    def step(self, closure=None):
        for group in self.param_groups:
            for p in group["params"]:
                if p.grad is None:
                    continue
                state = self.state[p] or {"made": 0, "average": torch.zeros_like(p)}
                made, decay = state["made"], group["lambd"]
                eta = group["lr"] / (1 + decay * group["lr"] * made) ** group["alpha"]
                g = (-p.grad if group["maximize"] else p.grad) + group["weight_decay"] * p
                p -= eta * (g + decay * p)
                late = made - group["t0"]
                average = p.clone() if late <= 1 else state["average"] * (1 - 1 / late) + p / late
                self.state[p] = {"made": made + 1, "average": average}


class TouchedByIndex(torch.optim.Optimizer):
    """SparseAdam that reads and writes by the indices of the gradient, with eps brought to the form of algorithm 1."""

    def __init__(self, params, lr=1e-3, betas=(0.9, 0.999), eps=1e-8, maximize=False):
        super().__init__(params, {"lr": lr, "betas": betas, "eps": eps, "maximize": maximize})

    @torch.no_grad()
    def step(self, closure=None):
        for group in self.param_groups:
            for p in group["params"]:
                if p.grad is None:
                    continue
                if not self.state[p]:
                    self.state[p] = {"made": 0, "m": torch.zeros_like(p), "v": torch.zeros_like(p)}
                gradient = p.grad.coalesce()
                values = -gradient.values() if group["maximize"] else gradient.values()
                self.one(p, tuple(gradient.indices()), values, self.state[p], group)

    def one(self, p, touched, g, state, group):
        state["made"] += 1
        m, v = (
            beta * state[name][touched] + (1 - beta) * new
            for beta, name, new in zip(group["betas"], "mv", (g, g * g), strict=True)
        )
        state["m"][touched], state["v"][touched] = m, v
        first, second = (1 - beta ** state["made"] for beta in group["betas"])
        root = second**0.5
        p[touched] = p[touched] - group["lr"] * (m / first) / (v.sqrt() / root + group["eps"] / root)


class TwoLoops(torch.optim.Optimizer):
    """LBFGS without a line search, its pairs in one list of its own."""

    def __init__(
        self, params, lr=1.0, max_iter=20, max_eval=None, tolerance_grad=1e-7, tolerance_change=1e-9, history_size=100,
        line_search_fn=None,
    ):  # fmt: skip
        if line_search_fn is not None:
            raise ValueError("line_search_fn must be None")
        limits = {"max_iter": max_iter, "max_eval": max_iter * 5 // 4 if max_eval is None else max_eval}
        tolerances = {"tolerance_grad": tolerance_grad, "tolerance_change": tolerance_change}
        super().__init__(params, {"lr": lr, **limits, **tolerances, "history_size": history_size})
        self.parameters = self.param_groups[0]["params"]

    def gradient(self):
        return torch.cat([(torch.zeros_like(p) if p.grad is None else p.grad).reshape(-1) for p in self.parameters])

    def move(self, by):
        for p, part in zip(self.parameters, by.split([p.numel() for p in self.parameters]), strict=True):
            p += part.view_as(p)

    def scale(self, s, y):
        return s.dot(y) / y.dot(y)

    def direction(self, g, pairs):
        d, shares = -g, []
        for s, y in reversed(pairs):
            shares.append(s.dot(d) / y.dot(s))
            d = d - shares[-1] * y
        d = d * self.scale(*pairs[-1]) if pairs else d
        for (s, y), share in zip(pairs, reversed(shares), strict=True):
            d = d + (share - y.dot(d) / y.dot(s)) * s
        return d

    @torch.no_grad()
    def step(self, closure):
        closure, group, state = torch.enable_grad()(closure), self.param_groups[0], self.state[self.parameters[0]]
        loss = first = closure()
        g, evaluations = self.gradient(), 1
        for last in [False] * (group["max_iter"] - 1) + [True]:
            if g.abs().max() <= group["tolerance_grad"]:
                break
            t = group["lr"]
            if "moved" not in state:
                state["pairs"], d, t = [], -g, min(1.0, 1.0 / float(g.abs().sum())) * t
            else:
                y = g - state["gradient"]
                if y.dot(state["moved"]) > 1e-10:
                    state["pairs"] = [*state["pairs"], (state["moved"], y)][-group["history_size"] :]
                d = self.direction(g, state["pairs"])
            state["moved"], state["gradient"], before = t * d, g, loss
            if g.dot(d) > -group["tolerance_change"]:
                break
            self.move(t * d)
            if last or evaluations >= group["max_eval"]:
                break
            loss, evaluations = closure(), evaluations + 1
            g = self.gradient()
            short = (t * d).abs().max() <= group["tolerance_change"] or abs(loss - before) < group["tolerance_change"]
            if short or evaluations >= group["max_eval"]:
                break
        return first


class NeverScaled(TwoLoops):
    """The first guess of the inverse Hessian is the identity."""

    def scale(self, s, y):
        return 1.0


class ScaledByTheStep(TwoLoops):
    """The other quotient of Barzilai and Borwein."""

    def scale(self, s, y):
        return s.dot(s) / s.dot(y)


WRONG = {NeverScaled: "LBFGS", ScaledByTheStep: "LBFGS"}
IN_EVERY_FORMAT = {SignsMultiplied: "Rprop", RatesAnew: "ASGD", TouchedByIndex: "SparseAdam"}
RIGHT = {
    WithoutClosure: "SGD",
    CountsInPython: "Adam",
    Derived: "Adam",
    ReadyAtOnce: "RMSprop",
    Flat: "Adagrad",
    TwoLoops: "LBFGS",
    **IN_EVERY_FORMAT,
}
