import torch

log_rate = torch.tensor([1.0])
count = torch.tensor([0.0], requires_grad=True)
torch.nn.functional.poisson_nll_loss(log_rate, count, full=True).backward()
assert count.grad == -1, f"the derivative by the count 0 is {count.grad.item()}, not -1"
