import copy

import torch

p = torch.ones(2, requires_grad=True)
other = copy.deepcopy(torch.optim.LBFGS([p]))


def closure():
    other.zero_grad()
    loss = (other.param_groups[0]["params"][0] ** 2).sum()
    loss.backward()
    return loss


try:
    other.step(closure)
    said = None
except AttributeError as error:
    said = error
assert said is None, f"the step of a copy raised AttributeError: {said}"
