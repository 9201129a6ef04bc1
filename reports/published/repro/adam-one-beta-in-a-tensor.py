import torch

refused = {}
for name in ("Adam", "AdamW"):
    try:
        getattr(torch.optim, name)([torch.ones(1, requires_grad=True)], betas=(0.9, torch.tensor(0.999)))
    except ValueError as error:
        refused[name] = str(error)
assert not refused, f"documented betas were refused: {refused}"
