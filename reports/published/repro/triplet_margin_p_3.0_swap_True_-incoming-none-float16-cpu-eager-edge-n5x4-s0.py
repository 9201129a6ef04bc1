"""TripletMarginLoss: d/danchor[0, 0] = nan (nan), but should be 0x0.0p+0 (0)

Case triplet_margin[p=3.0,swap=True]-incoming-none-float16-cpu-eager-edge-n5x4-s0.

Made by lossbench. Exit status 1 while the difference is there, 0 once it is gone.
"""

import sys

import torch

F = float.fromhex  # numbers are written as hex floats
inf, nan = float("inf"), float("nan")

anchor = torch.tensor([F("-0x1.0000000000000p-14"), F("-0x1.3080000000000p+0"), F("0x1.ef00000000000p-4"), F("-0x1.8340000000000p-1")], dtype=torch.float64).reshape(1, 4).to(torch.float16).requires_grad_()
positive = torch.tensor([F("-0x1.0000000000000p-14"), F("-0x1.3080000000000p+0"), F("0x1.ef00000000000p-4"), F("-0x1.8340000000000p-1")], dtype=torch.float64).reshape(1, 4).to(torch.float16).requires_grad_()
negative = torch.tensor([F("0x1.3b80000000000p+0"), F("-0x1.0280000000000p+1"), F("0x1.0000000000000p-24"), F("-0x1.f540000000000p-5")], dtype=torch.float64).reshape(1, 4).to(torch.float16).requires_grad_()
loss = torch.nn.TripletMarginLoss(p=3.0, swap=True, reduction='none')
value = loss(anchor, positive, negative)
value.backward(torch.tensor([1.0], dtype=torch.float64).to(torch.float16).to(value))
got = anchor.grad[0, 0]
what, should, allowed = 'd/danchor', 0.0, F("0x1.0000000000000p-22")

got = float(got)
print(f"torch {torch.__version__}: {what} is {got!r}, but should be {should!r}, give or take {allowed:.3g}")
same = got == should or (got != got and should != should) or abs(got - should) <= allowed
sys.exit(0 if same else 1)
