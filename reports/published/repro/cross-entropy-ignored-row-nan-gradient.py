import torch

x = torch.tensor([[-torch.inf, -torch.inf], [0.0, 0.0]], requires_grad=True)
torch.nn.functional.cross_entropy(x, torch.tensor([-100, 0])).backward()
assert (x.grad[0] == 0).all(), f"the derivative of the ignored row is {x.grad[0].tolist()}, not [0, 0]"
