import torch

x = torch.tensor([20.0, -20.0], requires_grad=True)
loss = torch.nn.functional.binary_cross_entropy_with_logits(x, torch.zeros(2), reduction="sum")
(first,) = torch.autograd.grad(loss, x, create_graph=True)
(second,) = torch.autograd.grad(first.sum(), x)
assert abs(second[0] / 2.0611537e-9 - 1) < 1e-3, f"second derivatives at 20 and -20 are {second.tolist()}, not both 2.06e-9"
