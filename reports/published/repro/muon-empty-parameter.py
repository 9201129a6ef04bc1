import torch

empty, other = torch.zeros(2, 0, requires_grad=True), torch.eye(2, requires_grad=True)
empty.grad, other.grad = torch.zeros(2, 0), torch.eye(2)
try:
    torch.optim.Muon([empty, other], lr=0.1).step()
    said = None
except ZeroDivisionError as error:
    said = error
assert said is None, f"the step raised ZeroDivisionError: {said}, and the other parameter is {other.tolist()}"
