"""KLDivLoss: value[0] = nan (nan), but should be 0x0.0p+0 (0)

Case kl_div[zeros,log_target=True]-gradient-none-float16-cpu-eager-edge-n96-s0.

Made by lossbench. Exit status 1 while the difference is there, 0 once it is gone.
"""

import sys

import torch

F = float.fromhex  # numbers are written as hex floats
inf, nan = float("inf"), float("nan")

input = torch.tensor([F("-0x1.d980000000000p+2")], dtype=torch.float64).to(torch.float16).requires_grad_()
target = torch.tensor([-inf], dtype=torch.float64).to(torch.float16).requires_grad_()
loss = torch.nn.KLDivLoss(log_target=True, reduction='none')
value = loss(input, target)
value.backward(torch.tensor([1.0], dtype=torch.float64).to(torch.float16).to(value))
got = value.detach()[0]
what, should, allowed = 'value', 0.0, 0.0

got = float(got)
print(f"torch {torch.__version__}: {what} is {got!r}, but should be {should!r}, give or take {allowed:.3g}")
same = got == should or (got != got and should != should) or abs(got - should) <= allowed
sys.exit(0 if same else 1)
