import torch

first, second = torch.tensor([3e38]), torch.tensor([-3e38])
target = torch.ones(1, requires_grad=True)
loss = torch.nn.functional.margin_ranking_loss(first, second, target)
loss.backward()
assert loss == 0 and target.grad == 0, f"loss {loss.item()} with the derivative {target.grad.item()}, not 0 with 0"
