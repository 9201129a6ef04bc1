import torch

p = torch.ones(3, requires_grad=True)
p.grad = torch.tensor([1.0, 1.0, 0.0])
torch.optim.Adafactor([p], lr=0.01, eps=(1e-30, 1e-3)).step()
assert p[2] == 1, f"the element with a gradient of 0 became {p[2].item()}"
