import torch

p = torch.ones(1, dtype=torch.float16, requires_grad=True)
p.grad = torch.full_like(p, 2.0**-8)
torch.optim.RAdam([p], lr=0.5, foreach=True).step()
assert abs(p.item() - (1 - 0.5 * 2.0**-8)) < 1e-3, f"1 became {p.item()} in a first step by lr g = 2**-9"
