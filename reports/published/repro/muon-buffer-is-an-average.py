import torch

p = torch.eye(2, requires_grad=True)
p.grad = torch.eye(2)
optimizer = torch.optim.Muon([p], lr=0.5, weight_decay=0.0, momentum=1.0)
optimizer.step()
buffer = optimizer.state[p]["momentum_buffer"]
assert buffer[0, 0] == 1 and p[0, 0] < 1, f"after a gradient of 1 the documented buffer is 1; it is {buffer[0, 0]}, and p is {p[0, 0]}"
