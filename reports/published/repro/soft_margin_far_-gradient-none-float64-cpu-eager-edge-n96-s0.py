"""SoftMarginLoss: d/dinput[0] = nan (nan), but should be -0x1.0000000000000p+0 (-1)

Case soft_margin[far]-gradient-none-float64-cpu-eager-edge-n96-s0.

Made by lossbench. Exit status 1 while the difference is there, 0 once it is gone.
"""

import sys

import torch

F = float.fromhex  # numbers are written as hex floats
inf, nan = float("inf"), float("nan")

input = torch.tensor([-inf], dtype=torch.float64).requires_grad_()
target = torch.tensor([1.0], dtype=torch.float64)
loss = torch.nn.SoftMarginLoss(reduction='none')
value = loss(input, target)
value.backward(torch.tensor([1.0], dtype=torch.float64).to(value))
got = input.grad[0]
what, should, allowed = 'd/dinput', -1.0, F("0x1.4000000000000p-48")

got = float(got)
print(f"torch {torch.__version__}: {what} is {got!r}, but should be {should!r}, give or take {allowed:.3g}")
same = got == should or (got != got and should != should) or abs(got - should) <= allowed
sys.exit(0 if same else 1)
