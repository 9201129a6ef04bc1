"""PoissonNLLLoss: d/dtarget[0, 0] = nan (nan), but should be 0x1.7540000000000p+0 (1.45800781)

Case poisson_nll[zeros,full=True,eps=0.01]-gradient-none-float16-cpu-eager-ordinary-n4x5-s0.

Made by lossbench. Exit status 1 while the difference is there, 0 once it is gone.
"""

import sys

import torch

F = float.fromhex  # numbers are written as hex floats
inf, nan = float("inf"), float("nan")

input = torch.tensor([F("-0x1.7540000000000p+0"), F("-0x1.0700000000000p+1"), F("-0x1.ab40000000000p+1"), F("-0x1.04c0000000000p+0"), F("0x1.8f80000000000p-3")], dtype=torch.float64).reshape(1, 5).to(torch.float16).requires_grad_()
target = torch.tensor([-1.5625, 3.0, 6.0, 3.0, 1.0], dtype=torch.float64).reshape(1, 5).to(torch.float16).requires_grad_()
loss = torch.nn.PoissonNLLLoss(full=True, eps=0.01, reduction='none')
value = loss(input, target)
value.backward(torch.tensor([1.0, 1.0, 1.0, 1.0, 1.0], dtype=torch.float64).reshape(1, 5).to(torch.float16).to(value))
got = target.grad[0, 0]
what, should, allowed = 'd/dtarget', F("0x1.7540000000000p+0"), F("0x1.755b540000000p-8")

got = float(got)
print(f"torch {torch.__version__}: {what} is {got!r}, but should be {should!r}, give or take {allowed:.3g}")
same = got == should or (got != got and should != should) or abs(got - should) <= allowed
sys.exit(0 if same else 1)
