import torch

x = torch.tensor([0.5, 0.5]).log()
target = torch.tensor([1.0, 0.0], requires_grad=True)
torch.nn.functional.kl_div(x, target, reduction="sum").backward()
assert target.grad[1] == -torch.inf, f"the derivative by the target 0 is {target.grad[1].item()}, not -inf"
