import torch

first, second, late = (torch.ones(1, requires_grad=True) for _ in range(3))
optimizer = torch.optim.SGD([{"params": [first]}, {"params": [second, late]}], lr=0.25, momentum=0.5)
step = torch.compile(optimizer.step, backend="eager")
for parameters in [first, second], [first, second, late], [first, second, late]:
    for p in parameters:
        p.grad = torch.ones(1)
    step()
assert late.item() == 0.375, f"two gradients of 1 moved it from 1 to {late.item()}, not to 1 - 0.25 (1 + 1.5) = 0.375"
