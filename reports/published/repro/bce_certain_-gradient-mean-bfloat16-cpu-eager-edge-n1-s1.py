"""BCELoss: d/dinput[0] = -0x1.3600000000000p+35 (-4.16074957e+10), but should be 0x1.eaa0000000000p-1 (0.958251953)

Case bce[certain]-gradient-mean-bfloat16-cpu-eager-edge-n1-s1.

Made by lossbench. Exit status 1 while the difference is there, 0 once it is gone.
"""

import sys

import torch

F = float.fromhex  # numbers are written as hex floats
inf, nan = float("inf"), float("nan")

input = torch.tensor([0.0], dtype=torch.float64).to(torch.bfloat16).requires_grad_()
target = torch.tensor([F("0x1.5600000000000p-5")], dtype=torch.float64).to(torch.bfloat16)
loss = torch.nn.BCELoss(reduction='mean')
value = loss(input, target)
value.backward(torch.tensor(1.0, dtype=torch.float64).to(torch.bfloat16).to(value))
got = input.grad[0]
what, should, allowed = 'd/dinput', F("0x1.eaa0000000000p-1"), F("0x1.73d381fcde324p-4")

got = float(got)
print(f"torch {torch.__version__}: {what} is {got!r}, but should be {should!r}, give or take {allowed:.3g}")
same = got == should or (got != got and should != should) or abs(got - should) <= allowed
sys.exit(0 if same else 1)
