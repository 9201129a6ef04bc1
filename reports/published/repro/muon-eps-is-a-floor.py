import torch

p = torch.zeros(1, 1, requires_grad=True)
p.grad = torch.ones(1, 1)
options = {"lr": 1.0, "weight_decay": 0.0, "momentum": 0.0, "nesterov": False, "ns_steps": 1, "ns_coefficients": (1.0, 0.0, 0.0)}
torch.optim.Muon([p], eps=1.0, **options).step()
assert p == -0.5, f"the step for a gradient of 1 is {-p.item()}, not 1 / (1 + eps) = 0.5"
