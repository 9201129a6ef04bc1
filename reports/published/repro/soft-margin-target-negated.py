import torch

x = torch.tensor([1.0], requires_grad=True)
torch.nn.functional.soft_margin_loss(x, torch.ones(1, dtype=torch.uint8)).backward()
assert abs(x.grad.item() + 0.26894143) < 1e-6, f"the derivative with a uint8 label is {x.grad.item()}, not -0.2689"
