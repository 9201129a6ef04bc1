"""MultiLabelMarginLoss: value = 0x0.055842674e9d8p-1022 (4.64550506e-310), but should be nan (nan)

Case multilabel_margin-forward-mean-float64-cpu-eager-edge-n0x4-s0.

Made by lossbench. Exit status 1 while the difference is there, 0 once it is gone.
"""

import sys

import torch

F = float.fromhex  # numbers are written as hex floats
inf, nan = float("inf"), float("nan")

input = torch.tensor([], dtype=torch.float64).reshape(0, 4)
target = torch.tensor([], dtype=torch.int64).reshape(0, 4)
loss = torch.nn.MultiLabelMarginLoss(reduction='mean')
value = loss(input, target)
got = value.detach()
what, should, allowed = 'value', nan, 0.0

got = float(got)
print(f"torch {torch.__version__}: {what} is {got!r}, but should be {should!r}, give or take {allowed:.3g}")
same = got == should or (got != got and should != should) or abs(got - should) <= allowed
sys.exit(0 if same else 1)
