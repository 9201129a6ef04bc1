"""BCELoss: d/dinput[0] = -0x1.5a04d5d6a02cbp+35 (-4.6441869e+10), but should be -0x1.7c73a874873a4p+48 (-4.18311166e+14)

Case bce[certain]-gradient-none-float64-cpu-eager-edge-n96-s0.

Made by lossbench. Exit status 1 while the difference is there, 0 once it is gone.
"""

import sys

import torch

F = float.fromhex  # numbers are written as hex floats
inf, nan = float("inf"), float("nan")

input = torch.tensor([F("0x1.0000000000000p-53")], dtype=torch.float64).requires_grad_()
target = torch.tensor([F("0x1.7c73a874873b3p-5")], dtype=torch.float64).requires_grad_()
loss = torch.nn.BCELoss(reduction='none')
value = loss(input, target)
value.backward(torch.tensor([1.0], dtype=torch.float64).to(value))
got = input.grad[0]
what, should, allowed = 'd/dinput', F("-0x1.7c73a874873a4p+48"), F("0x1.1d56be57656cbp-1")

got = float(got)
print(f"torch {torch.__version__}: {what} is {got!r}, but should be {should!r}, give or take {allowed:.3g}")
same = got == should or (got != got and should != should) or abs(got - should) <= allowed
sys.exit(0 if same else 1)
