import torch

x1, x2 = torch.ones(1, 3), torch.ones(1, 3)
try:
    found = torch.nn.CosineEmbeddingLoss(margin=1.5)(x1, x2, torch.tensor([-1.0]))
except (RuntimeError, ValueError):
    found = None
assert found is None, f"the margin 1.5 gives {found}, not an error"
