"""PoissonNLLLoss: d/dtarget[0, 1, 3] = nan (nan), but should be -0x1.7579e40000000p+1 (-2.91778231)

Case poisson_nll[zeros,full=True,eps=0.01]-gradient-none-float32-cpu-eager-ordinary-n2x3x4-s2.

Made by lossbench. Exit status 1 while the difference is there, 0 once it is gone.
"""

import sys

import torch

F = float.fromhex  # numbers are written as hex floats
inf, nan = float("inf"), float("nan")

input = torch.tensor([F("0x1.2391680000000p-1"), F("-0x1.2f37700000000p+0"), F("0x1.9fb7a40000000p-2"), F("-0x1.9f93f80000000p-1"), F("0x1.924b980000000p-2"), F("-0x1.280c160000000p-3"), F("0x1.44a9640000000p+0"), F("0x1.7579e40000000p+1"), F("0x1.b01d280000000p-1"), F("0x1.0461ca0000000p-1"), F("0x1.fc2ede0000000p-1"), F("-0x1.324b720000000p-3")], dtype=torch.float64).reshape(1, 3, 4).to(torch.float32)
target = torch.tensor([3.0, 3.0, 5.0, 3.0, 5.0, 3.0, F("0x1.b5f0fe0000000p+1"), F("-0x1.e5bb1c0000000p+1"), 2.0, 5.0, 3.0, F("-0x1.80b9480000000p-1")], dtype=torch.float64).reshape(1, 3, 4).to(torch.float32).requires_grad_()
loss = torch.nn.PoissonNLLLoss(full=True, eps=0.01, reduction='none')
value = loss(input, target)
value.backward(torch.tensor([1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0], dtype=torch.float64).reshape(1, 3, 4).to(torch.float32).to(value))
got = target.grad[0, 1, 3]
what, should, allowed = 'd/dtarget', F("-0x1.7579e40000000p+1"), F("0x1.7579e4babcf20p-20")

got = float(got)
print(f"torch {torch.__version__}: {what} is {got!r}, but should be {should!r}, give or take {allowed:.3g}")
same = got == should or (got != got and should != should) or abs(got - should) <= allowed
sys.exit(0 if same else 1)
