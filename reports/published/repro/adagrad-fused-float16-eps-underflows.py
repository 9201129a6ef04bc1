import torch

p = torch.ones(64, dtype=torch.float16, requires_grad=True)
p.grad = torch.zeros_like(p)
torch.optim.Adagrad([p], fused=True).step()
assert (p == 1).all(), f"{int(p.isnan().sum())} of 64 elements are NaN after a step with a gradient of 0"
