import torch

x = torch.zeros(2, 3, 4, 5).to(memory_format=torch.channels_last).requires_grad_()
try:
    torch.nn.functional.nll_loss(x, torch.zeros(2, 4, 5, dtype=torch.long)).backward()
except RuntimeError as error:
    raise AssertionError(f"the backward pass raised: {error}")
assert x.grad is not None
