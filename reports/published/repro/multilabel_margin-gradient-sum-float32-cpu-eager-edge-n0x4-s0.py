"""MultiLabelMarginLoss: value = -0x1.3e3a800000000p+25 (-41710848), but should be 0x0.0p+0 (0)

Case multilabel_margin-gradient-sum-float32-cpu-eager-edge-n0x4-s0.

Made by lossbench. Exit status 1 while the difference is there, 0 once it is gone.
"""

import sys

import torch

F = float.fromhex  # numbers are written as hex floats
inf, nan = float("inf"), float("nan")

input = torch.tensor([], dtype=torch.float64).reshape(0, 4).to(torch.float32).requires_grad_()
target = torch.tensor([], dtype=torch.int64).reshape(0, 4)
loss = torch.nn.MultiLabelMarginLoss(reduction='sum')
value = loss(input, target)
value.backward(torch.tensor(1.0, dtype=torch.float64).to(torch.float32).to(value))
got = value.detach()
what, should, allowed = 'value', 0.0, 0.0

got = float(got)
print(f"torch {torch.__version__}: {what} is {got!r}, but should be {should!r}, give or take {allowed:.3g}")
same = got == should or (got != got and should != should) or abs(got - should) <= allowed
sys.exit(0 if same else 1)
