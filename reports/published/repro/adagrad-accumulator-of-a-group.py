import torch

p = torch.zeros(1, requires_grad=True)
optimizer = torch.optim.Adagrad([{"params": [p], "initial_accumulator_value": 16.0}], lr=1.0)
p.grad = torch.full((1,), 3.0)
optimizer.step()
assert abs(p.item() + 0.6) < 1e-6, f"3 / sqrt(16 + 9) is 0.6, and the step was {-p.item()}"
