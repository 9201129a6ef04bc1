import torch

p = torch.full((1,), 0.01, dtype=torch.float16, requires_grad=True)
optimizer = torch.optim.LBFGS([p], lr=0.1, max_iter=4)


def closure():
    optimizer.zero_grad()
    loss = (p * p).sum() / 2
    loss.backward()
    return loss


optimizer.step(closure)
assert abs(p.item()) <= 0.01, f"the parameter, 0.01 from its minimum, became {p.item()}"
