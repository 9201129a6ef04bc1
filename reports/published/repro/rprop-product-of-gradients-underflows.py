import torch

p = torch.zeros(1, dtype=torch.float16, requires_grad=True)
optimizer = torch.optim.Rprop([p], lr=0.25, etas=(0.5, 2.0))
p.grad = torch.full_like(p, 1e-4)
optimizer.step()
optimizer.step()
assert p == -0.75, f"two steps with a gradient of 1e-4 led to {p.item()}, not -(0.25 + 2 * 0.25)"
