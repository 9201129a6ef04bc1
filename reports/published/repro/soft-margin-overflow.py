import torch

x = torch.tensor([-100.0], requires_grad=True)
loss = torch.nn.functional.soft_margin_loss(x, torch.ones(1))
loss.backward()
assert loss == 100 and x.grad == -1, f"loss {loss.item()} and derivative {x.grad.item()}, not 100 and -1"
