import torch

p = torch.zeros(1, dtype=torch.float64, requires_grad=True)
p.grad = torch.ones_like(p)
torch.optim.ASGD([p], lr=0.1).step()
assert abs(p.item() + 0.1) < 1e-15, f"the step with lr = 0.1 and a gradient of 1 went to {p.item()}, not -0.1"
