"""SoftMarginLoss: value[0] = inf (inf), but should be 0x1.6400000000000p+6 (89)

Case soft_margin[far]-forward-none-float32-cpu-eager-edge-n96-s0.

Made by lossbench. Exit status 1 while the difference is there, 0 once it is gone.
"""

import sys

import torch

F = float.fromhex  # numbers are written as hex floats
inf, nan = float("inf"), float("nan")

input = torch.tensor([89.0], dtype=torch.float64).to(torch.float32)
target = torch.tensor([-1.0], dtype=torch.float64).to(torch.float32)
loss = torch.nn.SoftMarginLoss(reduction='none')
value = loss(input, target)
got = value.detach()[0]
what, should, allowed = 'value', 89.0, F("0x1.9080016400000p-13")

got = float(got)
print(f"torch {torch.__version__}: {what} is {got!r}, but should be {should!r}, give or take {allowed:.3g}")
same = got == should or (got != got and should != should) or abs(got - should) <= allowed
sys.exit(0 if same else 1)
