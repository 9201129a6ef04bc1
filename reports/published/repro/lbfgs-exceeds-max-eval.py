import torch

p = torch.tensor([2.0], requires_grad=True)
optimizer = torch.optim.LBFGS([p], lr=64.0, max_eval=2, line_search_fn="strong_wolfe")
evaluations = 0


def closure():
    global evaluations
    evaluations += 1
    optimizer.zero_grad()
    loss = (p**4).sum()
    loss.backward()
    return loss


optimizer.step(closure)
assert evaluations <= 2, f"{evaluations} evaluations were made with max_eval = 2"
