import torch

p = torch.ones(2, 3, requires_grad=True)
p.grad = torch.ones(2, 3)
try:
    torch.optim.ASGD([{"params": [p], "lr": torch.tensor([0.0, 0.25, 0.5])}], lambd=0.0, foreach=True).step()
    said = p[0].tolist()
except (RuntimeError, TypeError, ValueError):
    said = None
assert said is None, f"lr = [0, 0.25, 0.5] in a group was taken, and a row of ones became {said}"
