import torch

x = torch.tensor([[0.0, -torch.inf]])
loss = torch.nn.functional.cross_entropy(x, torch.tensor([[1.0, 0.0]])).item()
assert loss == 0, f"the loss for the probabilities (1, 0) is {loss}, for the class 0 it is 0"
