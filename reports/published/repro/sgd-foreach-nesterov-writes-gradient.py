import torch

p = torch.ones(1, requires_grad=True)
p.grad = torch.ones(1)
torch.optim.SGD([p], lr=0.5, momentum=0.5, nesterov=True, foreach=True).step()
assert p.grad == 1, f"the gradient is {p.grad.item()} after the step and was 1 before"
