import torch

x = torch.tensor([0.5, 0.5]).log()
target = torch.tensor([1.0, 0.0]).log()
loss = torch.nn.functional.kl_div(x, target, reduction="sum", log_target=True).item()
assert abs(loss - 0.6931472) < 1e-6, f"the divergence of (1/2, 1/2) from (1, 0) is {loss}, not log 2"
