import torch

log_probs = torch.tensor([[[0.25, 0.75]]]).log().requires_grad_()
one = torch.tensor([1])
torch.nn.functional.ctc_loss(log_probs, torch.tensor([[1]]), one, one).backward()
grad = log_probs.grad.flatten()
assert torch.allclose(grad, torch.tensor([0.0, -1.0])), f"the derivative of -log_probs[1] is {grad.tolist()}, not [0, -1]"
