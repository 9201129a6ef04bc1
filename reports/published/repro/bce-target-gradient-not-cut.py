import torch

x = torch.tensor([0.0, 1.0])
y = torch.tensor([0.5, 0.5], requires_grad=True)
torch.nn.functional.binary_cross_entropy(x, y, reduction="sum").backward()
assert y.grad.tolist() == [100.0, -100.0], f"derivatives by the target are {y.grad.tolist()}, not [100.0, -100.0]"
