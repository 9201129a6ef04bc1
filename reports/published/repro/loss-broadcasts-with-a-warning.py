import torch

answers = {}
for name in ("L1Loss", "MSELoss", "SmoothL1Loss", "HuberLoss"):
    try:
        answers[name] = getattr(torch.nn, name)()(torch.ones(4), torch.ones(4, 1)).item()
    except Exception:
        pass
assert not answers, f"an input (4,) and a target (4, 1) gave {answers}"
