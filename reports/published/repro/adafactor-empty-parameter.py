import torch

empty, other = torch.zeros(0, requires_grad=True), torch.ones(2, requires_grad=True)
empty.grad, other.grad = torch.zeros(0), torch.ones(2)
try:
    torch.optim.Adafactor([empty, other], lr=0.1, foreach=False).step()
    said = None
except ZeroDivisionError as error:
    said = error
assert said is None and (other < 1).all(), f"the step raised ZeroDivisionError: {said}"
