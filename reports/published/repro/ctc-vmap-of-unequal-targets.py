import torch

def loss(log_probs, length):
    return torch.nn.functional.ctc_loss(log_probs, torch.tensor([[1, 2]]), torch.tensor([6]), length)


log_probs = torch.log_softmax(torch.arange(60.0).reshape(2, 6, 1, 5).sin(), -1)
try:
    gradients = torch.func.vmap(torch.func.grad(loss))(log_probs, torch.tensor([[1], [2]]))
except RuntimeError as error:
    raise AssertionError(f"two calls under vmap raised: {error}")
assert gradients.shape == log_probs.shape
