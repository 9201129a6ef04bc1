import torch

x = torch.tensor([1e-3], dtype=torch.float64, requires_grad=True)
y = torch.ones_like(x)
loss = torch.nn.functional.binary_cross_entropy(x, y)
(first,) = torch.autograd.grad(loss, x, create_graph=True)
(second,) = torch.autograd.grad(first, x)
error = abs(second.item() * x.item() ** 2 - 1)
assert error < 1e-14, f"the second derivative at x = 1e-3, y = 1 is off by {error:.2g} of 1e6, and float64 resolves 1e-16"
