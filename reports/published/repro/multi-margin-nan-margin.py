import torch

found = torch.nn.MultiMarginLoss(margin=float("nan"))(torch.tensor([[1.0, 2.0]]), torch.tensor([0]))
assert found.isnan(), f"the margin NaN gives {found}, not NaN"
