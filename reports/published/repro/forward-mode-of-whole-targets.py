import torch

x, t = torch.tensor([0.5, 2.0]), torch.tensor([1, 1])
try:
    moved = torch.func.jvp(lambda x: torch.nn.functional.mse_loss(x, t), (x,), (torch.ones(2),))[1].item()
except RuntimeError as error:
    moved = f"RuntimeError: {error}"
assert moved == 0.5, f"the derivative along (1, 1) is {moved}, not 0.5"
