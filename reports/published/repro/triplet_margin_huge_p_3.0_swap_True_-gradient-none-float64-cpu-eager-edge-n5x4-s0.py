"""TripletMarginLoss: d/danchor[0, 2] = nan (nan), but should be 0x0.0p+0 (0)

Case triplet_margin[huge,p=3.0,swap=True]-gradient-none-float64-cpu-eager-edge-n5x4-s0.

Made by lossbench. Exit status 1 while the difference is there, 0 once it is gone.
"""

import sys

import torch

F = float.fromhex  # numbers are written as hex floats
inf, nan = float("inf"), float("nan")

anchor = torch.tensor([F("-0x1.533cf081dc2a1p-1"), F("0x1.a94413c7d6278p-4"), F("0x0.0000000000001p-1022"), F("-0x1.effb8301431c9p+1")], dtype=torch.float64).reshape(1, 4).requires_grad_()
positive = torch.tensor([F("-0x1.533cf081dc2a1p-1"), F("0x1.a94413c7d6278p-4"), F("0x0.0000000000001p-1022"), F("-0x1.effb8301431c9p+1")], dtype=torch.float64).reshape(1, 4).requires_grad_()
negative = torch.tensor([F("-0x1.533cf081dc2a1p-1"), F("0x1.a94413c7d6278p-4"), inf, F("-0x1.effb8301431c9p+1")], dtype=torch.float64).reshape(1, 4).requires_grad_()
loss = torch.nn.TripletMarginLoss(p=3.0, swap=True, reduction='none')
value = loss(anchor, positive, negative)
value.backward(torch.tensor([1.0], dtype=torch.float64).to(value))
got = anchor.grad[0, 2]
what, should, allowed = 'd/danchor', 0.0, 0.0

got = float(got)
print(f"torch {torch.__version__}: {what} is {got!r}, but should be {should!r}, give or take {allowed:.3g}")
same = got == should or (got != got and should != should) or abs(got - should) <= allowed
sys.exit(0 if same else 1)
