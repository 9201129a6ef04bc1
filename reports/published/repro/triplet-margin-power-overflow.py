import torch

anchor, negative = torch.tensor([[0.0, 0.0]]), torch.tensor([[0.0, 1e20]])
positive = torch.tensor([[3e20, 0.0]], requires_grad=True)
loss = torch.nn.functional.triplet_margin_loss(anchor, positive, negative)
loss.backward()
grad = positive.grad[0].tolist()
right = abs(loss / 2e20 - 1) < 1e-6 and abs(grad[0] - 1) < 1e-6 and abs(grad[1]) < 1e-6
assert right, f"loss {loss.item()} with the derivative {grad}, not 2e20 with [1, 0]"
