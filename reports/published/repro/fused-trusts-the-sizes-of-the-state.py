import torch


def stepped(size, state=None):
    p = torch.zeros(size, requires_grad=True)
    p.grad = torch.ones(size)
    optimizer = torch.optim.SGD([p], lr=0.1, momentum=0.9, fused=True)
    if state is not None:
        optimizer.load_state_dict(state)
    optimizer.step()
    return optimizer.state_dict()


small, refused = stepped(4), False
try:
    stepped(64, small)
except Exception:
    refused = True
assert refused, "64 numbers were stepped by a momentum of 4"
