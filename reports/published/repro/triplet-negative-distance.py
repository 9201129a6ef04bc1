import torch

loss = torch.nn.TripletMarginWithDistanceLoss(distance_function=lambda x, y: -(x - y).square().sum(-1) - 1.0)
try:
    found = loss(torch.zeros(2, 3), torch.ones(2, 3), torch.ones(2, 3))
except (RuntimeError, ValueError):
    found = None
assert found is None, f"negative distances give {found}, not an error"
