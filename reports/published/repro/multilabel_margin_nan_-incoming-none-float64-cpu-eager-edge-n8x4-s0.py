"""MultiLabelMarginLoss: value[0] = 0x1.00809cf6350ccp+1 (2.00392496), but should be nan (nan)

Case multilabel_margin[nan]-incoming-none-float64-cpu-eager-edge-n8x4-s0.

Made by lossbench. Exit status 1 while the difference is there, 0 once it is gone.
"""

import sys

import torch

F = float.fromhex  # numbers are written as hex floats
inf, nan = float("inf"), float("nan")

input = torch.tensor([F("-0x1.5b9de23645498p+1"), nan, F("-0x1.7f3a5481e004cp-1"), F("0x1.552a891983426p+0")], dtype=torch.float64).reshape(1, 4).requires_grad_()
target = torch.tensor([0, -1, 0, -1], dtype=torch.int64).reshape(1, 4)
loss = torch.nn.MultiLabelMarginLoss(reduction='none')
value = loss(input, target)
value.backward(torch.tensor([-1.75], dtype=torch.float64).to(value))
got = value.detach()[0]
what, should, allowed = 'value', nan, 0.0

got = float(got)
print(f"torch {torch.__version__}: {what} is {got!r}, but should be {should!r}, give or take {allowed:.3g}")
same = got == should or (got != got and should != should) or abs(got - should) <= allowed
sys.exit(0 if same else 1)
