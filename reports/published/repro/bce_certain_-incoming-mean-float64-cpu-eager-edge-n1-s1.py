"""BCELoss: d/dinput[0] = 0x1.c970c59f62d73p+30 (1.91864458e+09), but should be -0x1.ff0484f895d77p-1 (-0.998081355)

Case bce[certain]-incoming-mean-float64-cpu-eager-edge-n1-s1.

Made by lossbench. Exit status 1 while the difference is there, 0 once it is gone.
"""

import sys

import torch

F = float.fromhex  # numbers are written as hex floats
inf, nan = float("inf"), float("nan")

input = torch.tensor([0.0], dtype=torch.float64).requires_grad_()
target = torch.tensor([F("0x1.f6f60ed4512a9p-10")], dtype=torch.float64)
loss = torch.nn.BCELoss(reduction='mean')
value = loss(input, target)
value.backward(torch.tensor(-1.0, dtype=torch.float64).to(value))
got = input.grad[0]
what, should, allowed = 'd/dinput', F("-0x1.ff0484f895d77p-1"), F("0x1.7f4363ba7061ap-49")

got = float(got)
print(f"torch {torch.__version__}: {what} is {got!r}, but should be {should!r}, give or take {allowed:.3g}")
same = got == should or (got != got and should != should) or abs(got - should) <= allowed
sys.exit(0 if same else 1)
