import torch

p = torch.zeros(1, dtype=torch.float64, requires_grad=True).clone()
p.grad = torch.ones_like(p)
torch.optim.Adam([p], lr=1.0, betas=(0.9, 0.9999), eps=0.0, differentiable=True).step()
assert abs(p.item() + 1) < 1e-12, f"the first step of a float64 parameter for a gradient of 1 is {-p.item():.12f}, not 1"
