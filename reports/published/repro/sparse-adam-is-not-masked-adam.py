import torch

steps = []
for sparse in (False, True):
    p = torch.zeros(1, dtype=torch.float64, requires_grad=True)
    g = torch.full((1,), 1e-9, dtype=torch.float64)
    p.grad = g.to_sparse() if sparse else g
    (torch.optim.SparseAdam if sparse else torch.optim.Adam)([p], lr=1.0).step()
    steps.append(-p.item())
assert abs(steps[1] / steps[0] - 1) < 1e-6, f"a gradient of 1e-9 moves Adam by {steps[0]:.4f} lr and SparseAdam by {steps[1]:.4f} lr"
