"""MultiMarginLoss: value[0] = 0x0.0p+0 (0), but should be nan (nan)

Case multi_margin[nan]-incoming-none-float32-cpu-eager-edge-n8x4-s0.

Made by lossbench. Exit status 1 while the difference is there, 0 once it is gone.
"""

import sys

import torch

F = float.fromhex  # numbers are written as hex floats
inf, nan = float("inf"), float("nan")

input = torch.tensor([F("0x1.6d5fe40000000p-1"), nan, F("-0x1.1ad2980000000p-1"), F("-0x1.35a4620000000p+2")], dtype=torch.float64).reshape(1, 4).to(torch.float32).requires_grad_()
target = torch.tensor([0], dtype=torch.int64)
loss = torch.nn.MultiMarginLoss(reduction='none')
value = loss(input, target)
value.backward(torch.tensor([1.25], dtype=torch.float64).to(torch.float32).to(value))
got = value.detach()[0]
what, should, allowed = 'value', nan, 0.0

got = float(got)
print(f"torch {torch.__version__}: {what} is {got!r}, but should be {should!r}, give or take {allowed:.3g}")
same = got == should or (got != got and should != should) or abs(got - should) <= allowed
sys.exit(0 if same else 1)
