"""MultiLabelSoftMarginLoss: value = nan (nan), but should be 0x0.0p+0 (0)

Case multilabel_soft_margin[far]-forward-mean-float64-cpu-eager-edge-n1x1-s1.

Made by lossbench. Exit status 1 while the difference is there, 0 once it is gone.
"""

import sys

import torch

F = float.fromhex  # numbers are written as hex floats
inf, nan = float("inf"), float("nan")

input = torch.tensor([inf], dtype=torch.float64).reshape(1, 1)
target = torch.tensor([1.0], dtype=torch.float64).reshape(1, 1)
loss = torch.nn.MultiLabelSoftMarginLoss(reduction='mean')
value = loss(input, target)
got = value.detach()
what, should, allowed = 'value', 0.0, F("0x1.0000000000006p-1020")

got = float(got)
print(f"torch {torch.__version__}: {what} is {got!r}, but should be {should!r}, give or take {allowed:.3g}")
same = got == should or (got != got and should != should) or abs(got - should) <= allowed
sys.exit(0 if same else 1)
