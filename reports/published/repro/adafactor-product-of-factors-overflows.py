import torch

moved = {}
for dtype, gradient in ((torch.float32, 1e10), (torch.float16, 32.0)):
    p = torch.ones(2, 2, dtype=dtype, requires_grad=True)
    p.grad = torch.full_like(p, gradient)
    torch.optim.Adafactor([p], lr=0.125).step()
    moved[f"{gradient} in {dtype}"] = 1 - p[0, 0].item()
assert all(abs(step - 0.125) < 1e-2 for step in moved.values()), f"steps for gradients of {moved}, all should be 0.125"
