import torch

p = torch.ones(1, requires_grad=True).clone()
p.retain_grad()
p.grad = torch.zeros(1)
torch.optim.Adam([p], lr=0.0, differentiable=True).step()
assert p.item() == 1.0, f"a step with lr = 0 and a gradient of 0 went from 1 to {p.item()}"
