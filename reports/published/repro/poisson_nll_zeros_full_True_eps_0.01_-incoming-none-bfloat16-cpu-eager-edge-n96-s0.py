"""PoissonNLLLoss: d/dtarget[0] = nan (nan), but should be -0x1.6400000000000p+7 (-178)

Case poisson_nll[zeros,full=True,eps=0.01]-incoming-none-bfloat16-cpu-eager-edge-n96-s0.

Made by lossbench. Exit status 1 while the difference is there, 0 once it is gone.
"""

import sys

import torch

F = float.fromhex  # numbers are written as hex floats
inf, nan = float("inf"), float("nan")

input = torch.tensor([-178.0], dtype=torch.float64).to(torch.bfloat16).requires_grad_()
target = torch.tensor([-1.0], dtype=torch.float64).to(torch.bfloat16).requires_grad_()
loss = torch.nn.PoissonNLLLoss(full=True, eps=0.01, reduction='none')
value = loss(input, target)
value.backward(torch.tensor([-1.0], dtype=torch.float64).to(torch.bfloat16).to(value))
got = target.grad[0]
what, should, allowed = 'd/dtarget', -178.0, F("0x1.64b2000000000p+2")

got = float(got)
print(f"torch {torch.__version__}: {what} is {got!r}, but should be {should!r}, give or take {allowed:.3g}")
same = got == should or (got != got and should != should) or abs(got - should) <= allowed
sys.exit(0 if same else 1)
