"""GaussianNLLLoss: d/dinput[0] = nan (nan), but should be 0x0.0p+0 (0)

Case gaussian_nll[small]-gradient-sum-float16-cpu-eager-edge-n1-s1.

Made by lossbench. Exit status 1 while the difference is there, 0 once it is gone.
"""

import sys

import torch

F = float.fromhex  # numbers are written as hex floats
inf, nan = float("inf"), float("nan")

input = torch.tensor([0.0], dtype=torch.float64).to(torch.float16).requires_grad_()
target = torch.tensor([0.0], dtype=torch.float64).to(torch.float16)
var = torch.tensor([0.0], dtype=torch.float64).to(torch.float16)
loss = torch.nn.GaussianNLLLoss(reduction='sum')
value = loss(input, target, var)
value.backward(torch.tensor(1.0, dtype=torch.float64).to(torch.float16).to(value))
got = input.grad[0]
what, should, allowed = 'd/dinput', 0.0, F("0x1.0010000000000p-21")

got = float(got)
print(f"torch {torch.__version__}: {what} is {got!r}, but should be {should!r}, give or take {allowed:.3g}")
same = got == should or (got != got and should != should) or abs(got - should) <= allowed
sys.exit(0 if same else 1)
