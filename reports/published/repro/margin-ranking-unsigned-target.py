import torch

ones = torch.ones(1, dtype=torch.uint8)
loss = torch.nn.functional.margin_ranking_loss(torch.tensor([3.0]), torch.tensor([1.0]), ones)
assert loss == 0, f"a pair in the right order has the loss {loss.item()}, not 0"
