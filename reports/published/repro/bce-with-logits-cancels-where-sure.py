import torch

x = torch.tensor([-20.0, 20.0], requires_grad=True)
losses = torch.nn.functional.binary_cross_entropy_with_logits(x, torch.tensor([0.0, 1.0]), reduction="none")
losses.sum().backward()
loss, slope = losses[0].item(), x.grad[1].item()
right = abs(loss / 2.0612e-9 - 1) < 1e-3 and abs(slope / -2.0612e-9 - 1) < 1e-3
assert right, f"the loss at -20 is {loss}, the derivative at 20 {slope}, not 2.06e-9 and -2.06e-9"
