import torch

x, y = torch.tensor([-6.0], dtype=torch.float16, requires_grad=True), torch.ones(1, dtype=torch.float16)
(first,) = torch.autograd.grad(torch.nn.functional.soft_margin_loss(x, y), x, create_graph=True)
(second,) = torch.autograd.grad(first, x)
assert abs(second.item() - 0.00247) < 1e-4, f"the second derivative for y x = -6 is {second.item()}, not 0.00247"
