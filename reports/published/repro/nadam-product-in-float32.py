import torch

p = torch.zeros(1, dtype=torch.float64, requires_grad=True)
p.grad = torch.ones(1, dtype=torch.float64)
torch.optim.NAdam([p], lr=1.0, eps=0.0).step()
now, following = (0.9 * (1 - 0.5 * 0.96 ** (t * 4e-3)) for t in (1, 2))
step = (1 - now) / (1 - now) + following * (1 - 0.9) / (1 - now * following)
assert abs(-p.item() - step) < 1e-14, f"the first step is off by {abs(-p.item() - step):.2g} of {step:.2f}"
