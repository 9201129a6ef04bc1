import torch

raised = {}
options = {"Adam": {"amsgrad": True}, "AdamW": {"amsgrad": True}, "Adamax": {}, "NAdam": {}, "RMSprop": {"centered": True}, "Rprop": {}}
for name, given in options.items():
    lr = torch.tensor(0.1, requires_grad=True) if name == "NAdam" else 0.1
    p, g = torch.ones(2, requires_grad=True).clone(), torch.ones(2, requires_grad=True)
    optimizer = getattr(torch.optim, name)([p], lr=lr, differentiable=True, **given)
    for _ in range(3):
        p.grad = g * 1
        optimizer.step()
    try:
        p.sum().backward()
    except RuntimeError as error:
        raised[name] = str(error).split(":")[0]
assert not raised, f"backward through three steps raised RuntimeError: {raised}"
