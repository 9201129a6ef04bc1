import torch

p = torch.zeros(1, requires_grad=True)
p.grad = torch.ones(1)
torch.optim.Rprop([p], lr=100.0).step()
assert p == -100, f"the first step with lr = 100 has the length {-p.item()}"
