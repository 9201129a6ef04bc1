"""PoissonNLLLoss: d/dtarget[0, 0] = nan (nan), but should be -0x1.8a49a8c105c6cp+0 (-1.54018645)

Case poisson_nll[zeros,full=True,eps=0.01]-gradient-none-float64-cpu-eager-ordinary-n4x5-s0.

Made by lossbench. Exit status 1 while the difference is there, 0 once it is gone.
"""

import sys

import torch

F = float.fromhex  # numbers are written as hex floats
inf, nan = float("inf"), float("nan")

input = torch.tensor([F("0x1.8a49a8c105c6cp+0"), F("0x1.2882a82a3f382p-1"), F("0x1.b5b3426fc317cp-4"), F("0x1.e0fbf68719183p+0"), F("-0x1.a95625d2fc704p-1")], dtype=torch.float64).reshape(1, 5).requires_grad_()
target = torch.tensor([F("-0x1.242c6570e97acp+0"), 1.0, F("0x1.9dfb96cc3dbfap+0"), 1.0, F("0x1.e3c2b7e7fd918p+0")], dtype=torch.float64).reshape(1, 5).requires_grad_()
loss = torch.nn.PoissonNLLLoss(full=True, eps=0.01, reduction='none')
value = loss(input, target)
value.backward(torch.tensor([1.0, 1.0, 1.0, 1.0, 1.0], dtype=torch.float64).reshape(1, 5).to(value))
got = target.grad[0, 0]
what, should, allowed = 'd/dtarget', F("-0x1.8a49a8c105c6cp+0"), F("0x1.8a49a8c105c6cp-50")

got = float(got)
print(f"torch {torch.__version__}: {what} is {got!r}, but should be {should!r}, give or take {allowed:.3g}")
same = got == should or (got != got and should != should) or abs(got - should) <= allowed
sys.exit(0 if same else 1)
