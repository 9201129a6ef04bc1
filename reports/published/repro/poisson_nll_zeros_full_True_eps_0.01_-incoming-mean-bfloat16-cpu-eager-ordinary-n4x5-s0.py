"""PoissonNLLLoss: d/dtarget[0, 0] = nan (nan), but should be 0x1.48ccccccccccdp-3 (0.160546875)

Case poisson_nll[zeros,full=True,eps=0.01]-incoming-mean-bfloat16-cpu-eager-ordinary-n4x5-s0.

Made by lossbench. Exit status 1 while the difference is there, 0 once it is gone.
"""

import sys

import torch

F = float.fromhex  # numbers are written as hex floats
inf, nan = float("inf"), float("nan")

input = torch.tensor([F("0x1.1200000000000p-1"), F("0x1.2400000000000p+0"), F("-0x1.ec00000000000p-3"), -2.0625, F("-0x1.e600000000000p+0")], dtype=torch.float64).reshape(1, 5).to(torch.bfloat16).requires_grad_()
target = torch.tensor([F("-0x1.a400000000000p+0"), 3.0, 5.0, 2.0, -1.875], dtype=torch.float64).reshape(1, 5).to(torch.bfloat16).requires_grad_()
loss = torch.nn.PoissonNLLLoss(full=True, eps=0.01, reduction='mean')
value = loss(input, target)
value.backward(torch.tensor(-1.5, dtype=torch.float64).to(torch.bfloat16).to(value))
got = target.grad[0, 0]
what, should, allowed = 'd/dtarget', F("0x1.48ccccccccccdp-3"), F("0x1.ef210acccccccp-8")

got = float(got)
print(f"torch {torch.__version__}: {what} is {got!r}, but should be {should!r}, give or take {allowed:.3g}")
same = got == should or (got != got and should != should) or abs(got - should) <= allowed
sys.exit(0 if same else 1)
