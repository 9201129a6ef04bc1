import torch

ends = []
for backend in (None, "aot_eager"):
    p = torch.zeros(1, dtype=torch.float64, requires_grad=True)
    optimizer = torch.optim.Adam([p], lr=0.1, foreach=False)
    step = torch.compile(optimizer.step, backend=backend) if backend else optimizer.step
    for gradient in (1.0, 0.5):
        p.grad = torch.full_like(p, gradient)
        step()
    ends.append(p.item())
error = abs(ends[0] - ends[1]) / abs(ends[0])
assert error < 1e-14, f"two steps of a float64 parameter, compiled, are off by {error:.1e} of their length"
