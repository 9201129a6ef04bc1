import torch

p = torch.ones(1, requires_grad=True)
p.grad = torch.ones(1)
said = None
try:
    optimizer = torch.optim.ASGD([p], lr=1.0, lambd=-0.25)
    for _ in range(5):
        optimizer.step()
    said = f"five steps led to {p.item()}"
except ValueError:
    pass  # refused, as a negative lr is
except ZeroDivisionError as error:
    said = f"a step raised ZeroDivisionError: {error}"
assert said is None, f"lambd = -0.25 was taken, and {said}"
