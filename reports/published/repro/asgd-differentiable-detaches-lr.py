import torch

lr = torch.tensor(0.5, requires_grad=True)
p = torch.ones(1, requires_grad=True).clone()
p.grad = torch.full((1,), 3.0)
torch.optim.ASGD([p], lr=lr, lambd=0.0, differentiable=True).step()
(derivative,) = torch.autograd.grad(p.sum(), lr, allow_unused=True)
assert derivative is not None and derivative == -3, f"the derivative of the step by lr is {derivative}, not -3"
