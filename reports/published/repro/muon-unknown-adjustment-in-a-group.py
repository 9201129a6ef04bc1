import torch

p = torch.nn.Parameter(torch.ones(2, 2))
try:
    found = torch.optim.Muon([{"params": [p], "adjust_lr_fn": "median"}])
except ValueError:
    found = None
assert found is None, "a group with adjust_lr_fn='median' is taken, not refused"
