import torch

x, weight = torch.tensor([1.0, 2.0]), torch.tensor([1.0, 3.0])
mean, losses = (torch.nn.functional.l1_loss(x, torch.zeros(2), weight=weight, reduction=r) for r in ("mean", "none"))
assert mean == losses.mean(), f"the mean of {losses.tolist()} is said to be {mean.item()}"
