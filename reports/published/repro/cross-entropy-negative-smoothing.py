import torch

x, y = torch.tensor([[1.0, 2.0, 4.0]]), torch.tensor([0])
try:
    answer = torch.nn.functional.cross_entropy(x, y, label_smoothing=-0.5).item()
except Exception:
    answer = None
plain = torch.nn.functional.cross_entropy(x, y).item()
assert answer is None, f"label_smoothing = -0.5 gave {answer}, and without smoothing the loss is {plain}"
