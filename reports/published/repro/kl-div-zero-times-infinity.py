import torch

p = torch.tensor([1.0, 0.0])
loss = torch.nn.functional.kl_div(p.log(), p, reduction="sum").item()
assert loss == 0, f"the divergence of (1, 0) from itself is {loss}, not 0"
