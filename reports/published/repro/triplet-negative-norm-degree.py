import torch

a, b, c = torch.tensor([[0.0, 0.0]]), torch.tensor([[1.0, 1.0]]), torch.tensor([[4.0, 4.0]])
try:
    answer = torch.nn.functional.triplet_margin_loss(a, b, c, p=-1.0).item()
except Exception:
    answer = None
assert answer is None, f"p = -1 gave a loss of {answer}"
