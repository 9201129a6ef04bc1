import torch

p = torch.zeros(1, requires_grad=True)
p.grad = torch.ones(1)
try:
    torch.optim.Rprop([p], step_sizes=(1.0, 0.5)).step()
    step = -p.item()
except ValueError:
    step = None
assert step is None, f"step_sizes = (1, 0.5) were taken, and the step has the length {step}"
