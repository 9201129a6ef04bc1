import torch

x = torch.tensor([2.0**-45, 1.0, 0.0], requires_grad=True)
y = torch.tensor([1.0, 0.0, 0.0])
torch.nn.functional.binary_cross_entropy(x, y, reduction="sum").backward()
right = torch.tensor([-(2.0**45), 0.0, 1.0])
assert torch.allclose(x.grad, right), f"derivatives are {x.grad.tolist()}, not {right.tolist()}"
