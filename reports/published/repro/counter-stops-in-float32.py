import torch

p = torch.nn.Parameter(torch.ones(2))
optimizer = torch.optim.Adagrad([p], lr_decay=1e-6)
optimizer.state[p]["step"].fill_(2**24)
p.grad = torch.ones(2)
optimizer.step()
step = int(optimizer.state[p]["step"])
assert step == 2**24 + 1, f"after {2**24} steps and one more the counter is {step}"
