import torch

p = torch.ones(1, requires_grad=True)
p.grad = torch.ones(1)
with torch.device("meta"):
    optimizer = torch.optim.RMSprop([p])
    optimizer.step()
device = optimizer.state[p]["step"].device.type
assert device == "cpu", f"the counter of a parameter on the CPU is on {device}"
