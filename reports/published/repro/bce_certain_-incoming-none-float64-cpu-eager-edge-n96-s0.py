"""BCELoss: d/dinput[0] = -0x1.2ec43b1bcc272p+36 (-8.12732707e+10), but should be -0x1.4ce53365f652fp+49 (-7.32044541e+14)

Case bce[certain]-incoming-none-float64-cpu-eager-edge-n96-s0.

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
value.backward(torch.tensor([1.75], dtype=torch.float64).to(value))
got = input.grad[0]
what, should, allowed = 'd/dinput', F("-0x1.4ce53365f652fp+49"), F("0x1.f357cd18f17e3p-1")

got = float(got)
print(f"torch {torch.__version__}: {what} is {got!r}, but should be {should!r}, give or take {allowed:.3g}")
same = got == should or (got != got and should != should) or abs(got - should) <= allowed
sys.exit(0 if same else 1)
