"""PoissonNLLLoss: d/dtarget[0, 4] = nan (nan), but should be -0x1.bbf28e6666666p-3 (-0.216771233)

Case poisson_nll[zeros,full=True,eps=0.01]-incoming-mean-float32-cpu-eager-ordinary-n4x5-s0.

Made by lossbench. Exit status 1 while the difference is there, 0 once it is gone.
"""

import sys

import torch

F = float.fromhex  # numbers are written as hex floats
inf, nan = float("inf"), float("nan")

input = torch.tensor([F("0x1.861cd20000000p-1"), F("0x1.5c966c0000000p+0"), F("-0x1.6ada5e0000000p+0"), F("-0x1.3662820000000p-1"), F("0x1.71f4cc0000000p+0")], dtype=torch.float64).reshape(1, 5).to(torch.float32).requires_grad_()
target = torch.tensor([2.0, 3.0, 1.0, F("0x1.5895bc0000000p-1"), F("-0x1.c98a1e0000000p+1")], dtype=torch.float64).reshape(1, 5).to(torch.float32).requires_grad_()
loss = torch.nn.PoissonNLLLoss(full=True, eps=0.01, reduction='mean')
value = loss(input, target)
value.backward(torch.tensor(0.75, dtype=torch.float64).to(torch.float32).to(value))
got = target.grad[0, 4]
what, should, allowed = 'd/dtarget', F("-0x1.bbf28e6666666p-3"), F("0x1.4cf5ec19c2b80p-23")

got = float(got)
print(f"torch {torch.__version__}: {what} is {got!r}, but should be {should!r}, give or take {allowed:.3g}")
same = got == should or (got != got and should != should) or abs(got - should) <= allowed
sys.exit(0 if same else 1)
