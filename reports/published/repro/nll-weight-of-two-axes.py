import torch

x, y = torch.zeros(2, 3, 2, 2), torch.zeros(2, 2, 2, dtype=torch.long)
try:
    found = torch.nn.NLLLoss(weight=torch.ones(1, 3))(x, y)
except (RuntimeError, ValueError):
    found = None
assert found is None, f"a weight of shape (1, 3) gives {found}, not an error"
