"""BCELoss: d/dinput[0] = 0x1.ceffae0000000p+36 (1.2428528e+11), but should be -0x1.76b8000000000p-11 (-0.000714719296)

Case bce[certain,weight=elementwise]-incoming-mean-float32-cpu-eager-edge-n1-s1.

Made by lossbench. Exit status 1 while the difference is there, 0 once it is gone.
"""

import sys

import torch

F = float.fromhex  # numbers are written as hex floats
inf, nan = float("inf"), float("nan")

input = torch.tensor([0.0], dtype=torch.float64).to(torch.float32).requires_grad_()
target = torch.tensor([F("0x1.fd12900000000p-1")], dtype=torch.float64).to(torch.float32)
loss = torch.nn.BCELoss(weight=torch.tensor([0.5], dtype=torch.float64).to(torch.float32), reduction='mean')
value = loss(input, target)
value.backward(torch.tensor(-0.25, dtype=torch.float64).to(torch.float32).to(value))
got = input.grad[0]
what, should, allowed = 'd/dinput', F("-0x1.76b8000000000p-11"), F("0x1.47e104067a07bp-30")

got = float(got)
print(f"torch {torch.__version__}: {what} is {got!r}, but should be {should!r}, give or take {allowed:.3g}")
same = got == should or (got != got and should != should) or abs(got - should) <= allowed
sys.exit(0 if same else 1)
