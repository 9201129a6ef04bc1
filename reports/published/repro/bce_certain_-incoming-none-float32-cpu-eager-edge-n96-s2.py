"""BCELoss: d/dtarget[0] = 0x1.35d6380000000p+7 (154.918396), but should be 0x1.2c00000000000p+7 (150)

Case bce[certain]-incoming-none-float32-cpu-eager-edge-n96-s2.

Made by lossbench. Exit status 1 while the difference is there, 0 once it is gone.
"""

import sys

import torch

F = float.fromhex  # numbers are written as hex floats
inf, nan = float("inf"), float("nan")

input = torch.tensor([F("0x1.0000000000000p-149")], dtype=torch.float64).to(torch.float32)
target = torch.tensor([0.5], dtype=torch.float64).to(torch.float32).requires_grad_()
loss = torch.nn.BCELoss(reduction='none')
value = loss(input, target)
value.backward(torch.tensor([1.5], dtype=torch.float64).to(torch.float32).to(value))
got = target.grad[0]
what, should, allowed = 'd/dtarget', 150.0, F("0x1.2c00009600000p-14")

got = float(got)
print(f"torch {torch.__version__}: {what} is {got!r}, but should be {should!r}, give or take {allowed:.3g}")
same = got == should or (got != got and should != should) or abs(got - should) <= allowed
sys.exit(0 if same else 1)
