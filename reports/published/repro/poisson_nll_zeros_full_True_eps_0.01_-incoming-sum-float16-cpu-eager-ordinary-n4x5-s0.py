"""PoissonNLLLoss: d/dtarget[0, 1] = nan (nan), but should be 0x1.1b98000000000p-1 (0.553894043)

Case poisson_nll[zeros,full=True,eps=0.01]-incoming-sum-float16-cpu-eager-ordinary-n4x5-s0.

Made by lossbench. Exit status 1 while the difference is there, 0 once it is gone.
"""

import sys

import torch

F = float.fromhex  # numbers are written as hex floats
inf, nan = float("inf"), float("nan")

input = torch.tensor([F("0x1.0f00000000000p+1"), F("-0x1.c5c0000000000p-2"), F("-0x1.f640000000000p-2"), F("-0x1.7740000000000p+1"), F("0x1.bdc0000000000p-1")], dtype=torch.float64).reshape(1, 5).to(torch.float16).requires_grad_()
target = torch.tensor([F("0x1.b040000000000p-1"), F("-0x1.f7c0000000000p-11"), 3.0, 5.0, 2.0], dtype=torch.float64).reshape(1, 5).to(torch.float16).requires_grad_()
loss = torch.nn.PoissonNLLLoss(full=True, eps=0.01, reduction='sum')
value = loss(input, target)
value.backward(torch.tensor(1.25, dtype=torch.float64).to(torch.float16).to(value))
got = target.grad[0, 1]
what, should, allowed = 'd/dtarget', F("0x1.1b98000000000p-1"), F("0x1.1bb1b98000000p-9")

got = float(got)
print(f"torch {torch.__version__}: {what} is {got!r}, but should be {should!r}, give or take {allowed:.3g}")
same = got == should or (got != got and should != should) or abs(got - should) <= allowed
sys.exit(0 if same else 1)
