"""PoissonNLLLoss: d/dtarget[0, 3] = nan (nan), but should be 0x1.690ce7a95f25bp-1 (0.705176582)

Case poisson_nll[zeros,full=True,eps=0.01]-gradient-sum-float64-cpu-eager-ordinary-n4x5-s0.

Made by lossbench. Exit status 1 while the difference is there, 0 once it is gone.
"""

import sys

import torch

F = float.fromhex  # numbers are written as hex floats
inf, nan = float("inf"), float("nan")

input = torch.tensor([F("0x1.bd350ca1d8d3cp+0"), F("-0x1.7e46426a6c9bbp-2"), F("-0x1.2132db63f3ca0p+0"), F("-0x1.690ce7a95f25bp-1"), F("0x1.7da9c98af29cap-2")], dtype=torch.float64).reshape(1, 5).requires_grad_()
target = torch.tensor([3.0, 1.0, 1.0, F("-0x1.cbea63cc43b8dp-2"), 2.0], dtype=torch.float64).reshape(1, 5).requires_grad_()
loss = torch.nn.PoissonNLLLoss(full=True, eps=0.01, reduction='sum')
value = loss(input, target)
value.backward(torch.tensor(1.0, dtype=torch.float64).to(value))
got = target.grad[0, 3]
what, should, allowed = 'd/dtarget', F("0x1.690ce7a95f25bp-1"), F("0x1.690ce7a95f25cp-51")

got = float(got)
print(f"torch {torch.__version__}: {what} is {got!r}, but should be {should!r}, give or take {allowed:.3g}")
same = got == should or (got != got and should != should) or abs(got - should) <= allowed
sys.exit(0 if same else 1)
