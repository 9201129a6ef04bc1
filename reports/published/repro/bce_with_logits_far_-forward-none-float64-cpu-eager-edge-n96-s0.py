"""BCEWithLogitsLoss: value[0] = nan (nan), but should be inf (inf)

Case bce_with_logits[far]-forward-none-float64-cpu-eager-edge-n96-s0.

Made by lossbench. Exit status 1 while the difference is there, 0 once it is gone.
"""

import sys

import torch

F = float.fromhex  # numbers are written as hex floats
inf, nan = float("inf"), float("nan")

input = torch.tensor([-inf], dtype=torch.float64)
target = torch.tensor([1.0], dtype=torch.float64)
loss = torch.nn.BCEWithLogitsLoss(reduction='none')
value = loss(input, target)
got = value.detach()[0]
what, should, allowed = 'value', inf, 0.0

got = float(got)
print(f"torch {torch.__version__}: {what} is {got!r}, but should be {should!r}, give or take {allowed:.3g}")
same = got == should or (got != got and should != should) or abs(got - should) <= allowed
sys.exit(0 if same else 1)
