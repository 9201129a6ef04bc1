import torch

wrong = []
for _ in range(50):
    rubbish = torch.full((4096,), 7.0)
    del rubbish
    p = torch.zeros(4096, requires_grad=True)
    optimizer = torch.optim.SGD([p], lr=1.0, momentum=0.5, fused=True)
    optimizer.grad_scale, optimizer.found_inf = torch.tensor(1.0), torch.tensor(1.0)
    p.grad = torch.full_like(p, torch.inf)
    optimizer.step()
    optimizer.found_inf = torch.tensor(0.0)
    p.grad = torch.ones_like(p)
    optimizer.step()
    if (p != -1).any():
        wrong.append(p[p != -1][-1].item())
assert not wrong, f"after a skipped step, the first step with a gradient of 1 and lr = 1 led to {wrong[:3]}, not -1"
