"""PoissonNLLLoss: d/dtarget[0, 0, 1] = nan (nan), but should be 0x1.4a00000000000p-4 (0.0805664062)

Case poisson_nll[zeros,full=True,eps=0.01]-incoming-none-bfloat16-cpu-eager-ordinary-n2x3x4-s2.

Made by lossbench. Exit status 1 while the difference is there, 0 once it is gone.
"""

import sys

import torch

F = float.fromhex  # numbers are written as hex floats
inf, nan = float("inf"), float("nan")

input = torch.tensor([F("0x1.8a00000000000p-1"), F("0x1.4a00000000000p-2"), F("-0x1.1e00000000000p+1"), F("-0x1.5a00000000000p-5"), F("0x1.4400000000000p+1"), F("0x1.ae00000000000p-1"), F("-0x1.9c00000000000p+0"), 2.0625, F("0x1.4200000000000p+1"), F("-0x1.2800000000000p-2"), F("-0x1.e600000000000p-1"), F("0x1.8200000000000p-1")], dtype=torch.float64).reshape(1, 3, 4).to(torch.bfloat16)
target = torch.tensor([F("0x1.8200000000000p-1"), 0.0, F("-0x1.ae00000000000p-1"), 4.0, F("-0x1.c400000000000p-1"), 3.0, 2.0, 1.0, 2.0, F("-0x1.5a00000000000p+0"), 2.0, F("-0x1.3a00000000000p+0")], dtype=torch.float64).reshape(1, 3, 4).to(torch.bfloat16).requires_grad_()
loss = torch.nn.PoissonNLLLoss(full=True, eps=0.01, reduction='none')
value = loss(input, target)
value.backward(torch.tensor([-0.25, -0.25, 1.0, -1.75, 1.75, -1.0, -1.0, 1.0, 1.25, 0.5, 0.25, 0.75], dtype=torch.float64).reshape(1, 3, 4).to(torch.bfloat16).to(value))
got = target.grad[0, 0, 1]
what, should, allowed = 'd/dtarget', F("0x1.4a00000000000p-4"), F("0x1.4aa5000000000p-9")

got = float(got)
print(f"torch {torch.__version__}: {what} is {got!r}, but should be {should!r}, give or take {allowed:.3g}")
same = got == should or (got != got and should != should) or abs(got - should) <= allowed
sys.exit(0 if same else 1)
