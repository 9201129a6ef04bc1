import torch

log_probs = torch.full((3, 1, 2), 0.5).log()
try:
    torch.nn.CTCLoss()(log_probs, torch.tensor([[1]]), (3,), torch.tensor([1]))
    said = None
except TypeError as error:
    said = str(error).splitlines()[0]
assert said is None, f"lengths of the two documented kinds raised TypeError: {said}"
