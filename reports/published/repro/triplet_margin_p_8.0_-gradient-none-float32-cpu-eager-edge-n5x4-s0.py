"""TripletMarginLoss: d/dnegative[0, 0] = -0x0.0p+0 (-0), but should be 0x1.306fe0a31b718p-2 (0.297301779)

Case triplet_margin[p=8.0]-gradient-none-float32-cpu-eager-edge-n5x4-s0.

Made by lossbench. Exit status 1 while the difference is there, 0 once it is gone.
"""

import sys

import torch

F = float.fromhex  # numbers are written as hex floats
inf, nan = float("inf"), float("nan")

anchor = torch.tensor([F("-0x1.fe28cc0000000p+1"), F("0x1.e9cda20000000p+0"), F("-0x1.6df0a40000000p+0"), -0.0], dtype=torch.float64).reshape(1, 4).to(torch.float32).requires_grad_()
positive = torch.tensor([F("0x1.5c3bb00000000p+0"), F("0x1.31e8600000000p+0"), F("0x1.53223c0000000p+0"), F("0x1.a7923e0000000p+1")], dtype=torch.float64).reshape(1, 4).to(torch.float32).requires_grad_()
negative = torch.tensor([F("-0x1.fe28cc0000000p+1"), F("0x1.e9cda20000000p+0"), F("-0x1.6df0a40000000p+0"), -0.0], dtype=torch.float64).reshape(1, 4).to(torch.float32).requires_grad_()
loss = torch.nn.TripletMarginLoss(p=8.0, reduction='none')
value = loss(anchor, positive, negative)
value.backward(torch.tensor([1.0], dtype=torch.float64).to(torch.float32).to(value))
got = negative.grad[0, 0]
what, should, allowed = 'd/dnegative', F("0x1.306fe0a31b718p-2"), F("0x1.6d62d756d0f47p-17")

got = float(got)
print(f"torch {torch.__version__}: {what} is {got!r}, but should be {should!r}, give or take {allowed:.3g}")
same = got == should or (got != got and should != should) or abs(got - should) <= allowed
sys.exit(0 if same else 1)
