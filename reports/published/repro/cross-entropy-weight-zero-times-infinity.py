import torch

x = torch.tensor([[0.0, 0.0, -torch.inf]])
weight = torch.tensor([1.0, 1.0, 0.0])
loss = torch.nn.functional.cross_entropy(x, torch.tensor([0]), weight, label_smoothing=0.1).item()
right = (0.9 + 2 * 0.1 / 3) * 0.6931472
assert abs(loss - right) < 1e-6, f"the loss with a masked class of weight 0 is {loss}, not {right}"
