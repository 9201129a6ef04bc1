import torch

x = torch.zeros(1, dtype=torch.float64)
loss = torch.nn.functional.poisson_nll_loss(x, torch.tensor([5]), full=True).item()
right = torch.nn.functional.poisson_nll_loss(x, torch.tensor([5.0], dtype=torch.float64), full=True).item()
assert abs(loss - right) < 1e-12, f"the loss of the count 5 is {loss}, and {right} for 5.0"
