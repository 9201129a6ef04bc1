import torch

p = torch.zeros(2, 2, dtype=torch.bfloat16, requires_grad=True)
p.grad = torch.full_like(p, 64.0)
optimizer = torch.optim.Muon([p], momentum=0.5, nesterov=False)
optimizer.step()
buffer = optimizer.state[p]["momentum_buffer"][0, 0].item()
assert buffer in (32.0, 64.0), f"after one gradient of 64 the momentum is {buffer}, not (1 - 0.5) 64 = 32"
