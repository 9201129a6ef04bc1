import torch

anchor = torch.zeros(1, 2, requires_grad=True)
positive, negative = torch.ones(1, 2), torch.tensor([[0.0, torch.inf]])
loss = torch.nn.functional.triplet_margin_loss(anchor, positive, negative)
loss.backward()
assert loss == 0 and (anchor.grad == 0).all(), f"loss {loss.item()}, derivative {anchor.grad[0].tolist()}, not 0 and [0, 0]"
