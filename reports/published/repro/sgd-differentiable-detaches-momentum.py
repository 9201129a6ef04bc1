import torch

g = torch.ones(1, requires_grad=True)
p = torch.zeros(1, requires_grad=True).clone()
optimizer = torch.optim.SGD([p], lr=1.0, momentum=0.5, differentiable=True)
p.grad = g * 1
optimizer.step()
p.grad = torch.zeros(1)
optimizer.step()
p.sum().backward()
derivative = 0.0 if g.grad is None else g.grad.item()
assert derivative == -1.5, f"the derivative of two steps by the first gradient is {derivative}, not -(1 + 0.5)"
