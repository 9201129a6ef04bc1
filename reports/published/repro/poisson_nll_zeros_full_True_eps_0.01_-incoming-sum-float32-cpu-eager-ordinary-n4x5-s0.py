"""PoissonNLLLoss: d/dtarget[0, 0] = nan (nan), but should be -0x1.12de8a8000000p+1 (-2.14741641)

Case poisson_nll[zeros,full=True,eps=0.01]-incoming-sum-float32-cpu-eager-ordinary-n4x5-s0.

Made by lossbench. Exit status 1 while the difference is there, 0 once it is gone.
"""

import sys

import torch

F = float.fromhex  # numbers are written as hex floats
inf, nan = float("inf"), float("nan")

input = torch.tensor([F("0x1.6e7e0e0000000p+0"), F("-0x1.facaac0000000p+1"), F("-0x1.0f502a0000000p-1"), F("-0x1.d857bc0000000p-2"), F("-0x1.71533a0000000p+1")], dtype=torch.float64).reshape(1, 5).to(torch.float32).requires_grad_()
target = torch.tensor([F("-0x1.5ba0780000000p+0"), 3.0, 1.0, 3.0, 6.0], dtype=torch.float64).reshape(1, 5).to(torch.float32).requires_grad_()
loss = torch.nn.PoissonNLLLoss(full=True, eps=0.01, reduction='sum')
value = loss(input, target)
value.backward(torch.tensor(1.5, dtype=torch.float64).to(torch.float32).to(value))
got = target.grad[0, 0]
what, should, allowed = 'd/dtarget', F("-0x1.12de8a8000000p+1"), F("0x1.12de8b096f454p-20")

got = float(got)
print(f"torch {torch.__version__}: {what} is {got!r}, but should be {should!r}, give or take {allowed:.3g}")
same = got == should or (got != got and should != should) or abs(got - should) <= allowed
sys.exit(0 if same else 1)
