import torch

p = torch.zeros(2, 2, dtype=torch.float64, requires_grad=True)
p.grad = torch.eye(2, dtype=torch.float64) * 1e100
torch.optim.Muon([p], lr=0.1).step()
assert p.isfinite().all(), f"a gradient of 1e100 made the parameter {p.tolist()}"
