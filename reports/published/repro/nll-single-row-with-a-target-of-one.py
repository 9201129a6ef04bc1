import torch

answer = None
try:
    answer = torch.nn.functional.nll_loss(torch.zeros(3), torch.tensor([1]))
except (RuntimeError, ValueError):
    pass
assert answer is None, f"a target of shape (1) for an input of shape (3) is answered with {answer}"
