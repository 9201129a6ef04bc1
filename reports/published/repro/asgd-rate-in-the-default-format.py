import torch

p = torch.ones(1, dtype=torch.float32, requires_grad=True)
p.grad = torch.ones(1, dtype=torch.float32)
torch.set_default_dtype(torch.bfloat16)
optimizer = torch.optim.ASGD([p], lr=0.123, lambd=0.0, foreach=False)
optimizer.step()
eta = optimizer.state[p]["eta"].item()
assert abs(eta - 0.123) < 1e-6, f"the rate went from 0.123 to {eta}"
