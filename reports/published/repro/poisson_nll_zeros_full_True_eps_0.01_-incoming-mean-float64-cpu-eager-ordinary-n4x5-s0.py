"""PoissonNLLLoss: d/dtarget[0, 1] = nan (nan), but should be 0x1.435e90978b6ddp-4 (0.0789476059)

Case poisson_nll[zeros,full=True,eps=0.01]-incoming-mean-float64-cpu-eager-ordinary-n4x5-s0.

Made by lossbench. Exit status 1 while the difference is there, 0 once it is gone.
"""

import sys

import torch

F = float.fromhex  # numbers are written as hex floats
inf, nan = float("inf"), float("nan")

input = torch.tensor([F("0x1.31e317c792390p+1"), F("0x1.943634bd6e494p+0"), F("-0x1.24d4193578864p+1"), F("-0x1.42ad85d05c5b0p+1"), F("0x1.ad3d03b479ad4p-1")], dtype=torch.float64).reshape(1, 5).requires_grad_()
target = torch.tensor([F("0x1.f1dceead8ba1ap+1"), 0.0, 1.0, F("-0x1.830a6de30b070p+0"), 2.0], dtype=torch.float64).reshape(1, 5).requires_grad_()
loss = torch.nn.PoissonNLLLoss(full=True, eps=0.01, reduction='mean')
value = loss(input, target)
value.backward(torch.tensor(-0.25, dtype=torch.float64).to(value))
got = target.grad[0, 1]
what, should, allowed = 'd/dtarget', F("0x1.435e90978b6ddp-4"), F("0x1.e50dd8e35124cp-54")

got = float(got)
print(f"torch {torch.__version__}: {what} is {got!r}, but should be {should!r}, give or take {allowed:.3g}")
same = got == should or (got != got and should != should) or abs(got - should) <= allowed
sys.exit(0 if same else 1)
