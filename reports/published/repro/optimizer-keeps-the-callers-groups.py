import torch

groups = [{"params": [torch.ones(1, requires_grad=True)]}]
torch.optim.SGD(groups, lr=0.1)
rate = torch.optim.SGD(groups, lr=0.5).param_groups[0]["lr"]
assert rate == 0.5, f"an optimizer that was made with lr=0.5 has the learning rate {rate}"
