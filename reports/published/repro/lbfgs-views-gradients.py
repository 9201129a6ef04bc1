import torch

p = torch.ones(2, 3, requires_grad=True)


def closure():
    p.grad = p.detach().t().contiguous().t()
    return (p**2).sum() / 2


try:
    torch.optim.LBFGS([p]).step(closure)
    said = None
except RuntimeError as error:
    said = str(error).split(".")[0]
assert said is None, f"a step with a transposed gradient raised RuntimeError: {said}"
