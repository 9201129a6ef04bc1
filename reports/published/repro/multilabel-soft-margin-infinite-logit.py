import torch

x, y = torch.tensor([[torch.inf, 0.0]]), torch.tensor([[1.0, 0.0]])
loss = torch.nn.functional.multilabel_soft_margin_loss(x, y).item()
assert abs(loss - 0.3466) < 1e-3, f"logits [inf, 0] for targets [1, 0] have the loss {loss}, not log(2) / 2 = 0.3466"
