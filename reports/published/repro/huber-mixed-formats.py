import torch

x = torch.zeros(2, requires_grad=True)
loss = torch.nn.functional.huber_loss(x, torch.ones(2, dtype=torch.float64))
assert loss.dtype == torch.float64, f"the loss with a float64 target is {loss.dtype}, as L1Loss has float64"
