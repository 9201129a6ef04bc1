import torch

p, q = torch.ones(1, requires_grad=True), torch.ones(1, requires_grad=True)
optimizer = torch.optim.SGD([{"params": [p]}, {"params": [q]}], lr=torch.tensor(0.125))
torch.optim.lr_scheduler.LambdaLR(optimizer, [lambda step: 1.0, lambda step: 0.5])
rates = [float(group["lr"]) for group in optimizer.param_groups]
assert rates == [0.125, 0.0625], f"the groups have the rates {rates}, but should have [0.125, 0.0625]"
