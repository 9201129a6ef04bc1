"""BCELoss: d/dtarget[0] = -0x1.74385446d71c3p+9 (-744.440072), but should be -0x1.9000000000000p+6 (-100)

Case bce[certain]-incoming-none-float64-cpu-eager-edge-n96-s2.

Made by lossbench. Exit status 1 while the difference is there, 0 once it is gone.
"""

import sys

import torch

F = float.fromhex  # numbers are written as hex floats
inf, nan = float("inf"), float("nan")

input = torch.tensor([F("0x0.0000000000001p-1022")], dtype=torch.float64)
target = torch.tensor([F("0x1.fffffffffffffp-1")], dtype=torch.float64).requires_grad_()
loss = torch.nn.BCELoss(reduction='none')
value = loss(input, target)
value.backward(torch.tensor([-1.0], dtype=torch.float64).to(value))
got = target.grad[0]
what, should, allowed = 'd/dtarget', -100.0, F("0x1.9000000000000p-44")

got = float(got)
print(f"torch {torch.__version__}: {what} is {got!r}, but should be {should!r}, give or take {allowed:.3g}")
same = got == should or (got != got and should != should) or abs(got - should) <= allowed
sys.exit(0 if same else 1)
