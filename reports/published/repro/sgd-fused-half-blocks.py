import torch

p = torch.ones(64, dtype=torch.bfloat16, requires_grad=True)
p.grad = torch.ones_like(p)
torch.optim.SGD([p], lr=0.5, fused=True).step()
assert (p == 0.5).all(), f"{int((p == 1.0).sum())} of 64 elements were not stepped"
