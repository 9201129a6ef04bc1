import torch

x, linear = torch.ones(2, 3), torch.ones(4, 3, requires_grad=True)
weight = torch.ones(4, requires_grad=True)
options = torch.nn.LinearCrossEntropyOptions()
try:
    loss = torch.nn.functional.linear_cross_entropy(x, linear, torch.tensor([0, 1]), weight=weight, options=options)
    loss.backward()
    said = weight.grad
except RuntimeError:
    said = "refused"
assert said is not None, "the loss went through backward, and the weight that requires a gradient has none"
