import torch

p = torch.ones(2, requires_grad=True)
p.grad = torch.ones(2)
torch.optim.SGD([p], lr=0.1, weight_decay=torch.tensor(0.5, requires_grad=True)).step()
assert p.grad.tolist() == [1.0, 1.0], f"after the step the gradient is {p.grad.tolist()}, but should be [1.0, 1.0]"
