import torch

anchor, negative = torch.zeros(2, 1, 2, dtype=torch.float16)
positive = torch.zeros(1, 2, dtype=torch.float16, requires_grad=True)
torch.nn.functional.triplet_margin_loss(anchor, positive, negative, p=3).backward()
grad = positive.grad[0].tolist()
assert all(abs(slope + 0.63) < 0.01 for slope in grad), f"derivatives by the positive are {grad}, not [-0.63, -0.63]"
