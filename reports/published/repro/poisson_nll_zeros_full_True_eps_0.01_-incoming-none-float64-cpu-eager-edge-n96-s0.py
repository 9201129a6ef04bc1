"""PoissonNLLLoss: d/dtarget[0] = nan (nan), but should be 0x1.661c273d34b10p+2 (5.59546834)

Case poisson_nll[zeros,full=True,eps=0.01]-incoming-none-float64-cpu-eager-edge-n96-s0.

Made by lossbench. Exit status 1 while the difference is there, 0 once it is gone.
"""

import sys

import torch

F = float.fromhex  # numbers are written as hex floats
inf, nan = float("inf"), float("nan")

input = torch.tensor([F("-0x1.9944bf2160ca4p+1")], dtype=torch.float64).requires_grad_()
target = torch.tensor([0.0], dtype=torch.float64).requires_grad_()
loss = torch.nn.PoissonNLLLoss(full=True, eps=0.01, reduction='none')
value = loss(input, target)
value.backward(torch.tensor([1.75], dtype=torch.float64).to(value))
got = target.grad[0]
what, should, allowed = 'd/dtarget', F("0x1.661c273d34b10p+2"), F("0x1.661c273d34b10p-48")

got = float(got)
print(f"torch {torch.__version__}: {what} is {got!r}, but should be {should!r}, give or take {allowed:.3g}")
same = got == should or (got != got and should != should) or abs(got - should) <= allowed
sys.exit(0 if same else 1)
