import warnings

import torch

silent = {}
x, y = torch.full((4,), 0.5), torch.full((4, 1), 0.5)
for name in ("kl_div", "poisson_nll_loss", "soft_margin_loss"):
    with warnings.catch_warnings(record=True) as heard:
        warnings.simplefilter("always")
        try:
            losses = getattr(torch.nn.functional, name)(x, y, reduction="none")
        except Exception:
            continue
    if not heard:
        silent[name] = tuple(losses.shape)
assert not silent, f"an input (4,) and a target (4, 1) gave losses of the shapes {silent} without a word"
