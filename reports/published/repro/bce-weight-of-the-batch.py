import torch

x, y = torch.full((2, 2), 0.5), torch.tensor([[1.0, 1.0], [1.0, 1.0]])
weight = torch.tensor([1.0, 0.0])  # the second element of the batch does not count
losses = torch.nn.BCELoss(weight=weight, reduction="none")(x, y)
assert (losses[0] > 0).all() and (losses[1] == 0).all(), f"columns were weighted instead of rows: {losses.tolist()}"
