"""BCELoss: d/dinput[0] = -0x1.d000000000000p+31 (-3.89231411e+09), but should be -0x1.0000000000000p+118 (-3.32306999e+35)

Case bce[certain]-gradient-none-bfloat16-cpu-eager-edge-n96-s0.

Made by lossbench. Exit status 1 while the difference is there, 0 once it is gone.
"""

import sys

import torch

F = float.fromhex  # numbers are written as hex floats
inf, nan = float("inf"), float("nan")

input = torch.tensor([F("0x1.0000000000000p-126")], dtype=torch.float64).to(torch.bfloat16).requires_grad_()
target = torch.tensor([F("0x1.0000000000000p-8")], dtype=torch.float64).to(torch.bfloat16).requires_grad_()
loss = torch.nn.BCELoss(reduction='none')
value = loss(input, target)
value.backward(torch.tensor([1.0], dtype=torch.float64).to(torch.bfloat16).to(value))
got = input.grad[0]
what, should, allowed = 'd/dinput', F("-0x1.0000000000000p+118"), F("0x1.8180800000000p+113")

got = float(got)
print(f"torch {torch.__version__}: {what} is {got!r}, but should be {should!r}, give or take {allowed:.3g}")
same = got == should or (got != got and should != should) or abs(got - should) <= allowed
sys.exit(0 if same else 1)
