import torch

p = torch.zeros(1, requires_grad=True)
optimizer = torch.optim.LBFGS([p], max_iter=1, max_eval=25, line_search_fn="strong_wolfe")
trials = []


def closure():
    trials.append(p.item())
    optimizer.zero_grad()
    loss = (-p + 2.5 * p**2 - 2 * p**3).sum()
    loss.backward()
    return loss


optimizer.step(closure)
assert all(abs(t) < float("inf") for t in trials), f"the search tried {trials[:4]}"
