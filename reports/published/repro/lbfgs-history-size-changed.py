import torch

p = torch.nn.Parameter(torch.ones(3))


def closure():
    optimizer.zero_grad()
    loss = (torch.arange(1.0, 4.0) * p**4).sum()
    loss.backward()
    return loss


optimizer = torch.optim.LBFGS([p], lr=0.1, max_iter=1, history_size=10)
for _ in range(6):
    optimizer.step(closure)
optimizer.param_groups[0]["history_size"] = 2
for _ in range(4):
    optimizer.step(closure)
kept = len(optimizer.state[p]["old_dirs"])
assert kept <= 2, f"{kept} pairs are kept with history_size=2"
