import torch

p = torch.zeros(64, requires_grad=True)
p.grad = torch.linspace(0.5, 1.0, 64)
optimizer = torch.optim.RMSprop([p], lr=1e-9, alpha=0.5, centered=True)
for _ in range(100):
    optimizer.step()
assert p.isfinite().all(), f"a constant gradient made {int(p.isnan().sum())} of 64 elements NaN"
