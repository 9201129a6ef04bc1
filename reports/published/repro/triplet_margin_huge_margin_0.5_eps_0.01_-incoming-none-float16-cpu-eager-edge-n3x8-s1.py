"""TripletMarginLoss: d/danchor[0, 6] = nan (nan), but should be -0x0.0p+0 (-0)

Case triplet_margin[huge,margin=0.5,eps=0.01]-incoming-none-float16-cpu-eager-edge-n3x8-s1.

Made by lossbench. Exit status 1 while the difference is there, 0 once it is gone.
"""

import sys

import torch

F = float.fromhex  # numbers are written as hex floats
inf, nan = float("inf"), float("nan")

anchor = torch.tensor([0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0], dtype=torch.float64).reshape(1, 8).to(torch.float16).requires_grad_()
positive = torch.tensor([F("-0x1.b2c0000000000p-1"), F("-0x1.60c0000000000p-1"), F("0x1.f180000000000p+0"), F("0x1.5cc0000000000p+0"), 65504.0, F("0x1.9580000000000p+1"), F("-0x1.8600000000000p-1"), 0.4375], dtype=torch.float64).reshape(1, 8).to(torch.float16)
negative = torch.tensor([F("-0x1.2980000000000p-2"), F("0x1.6640000000000p+2"), F("0x1.9c00000000000p-1"), F("-0x1.c7c0000000000p-1"), F("-0x1.1e00000000000p+1"), F("-0x1.15c0000000000p+1"), inf, F("0x1.02c0000000000p+1")], dtype=torch.float64).reshape(1, 8).to(torch.float16)
loss = torch.nn.TripletMarginLoss(margin=0.5, eps=0.01, reduction='none')
value = loss(anchor, positive, negative)
value.backward(torch.tensor([-1.0], dtype=torch.float64).to(torch.float16).to(value))
got = anchor.grad[0, 6]
what, should, allowed = 'd/danchor', -0.0, F("0x1.0000000000000p-22")

got = float(got)
print(f"torch {torch.__version__}: {what} is {got!r}, but should be {should!r}, give or take {allowed:.3g}")
same = got == should or (got != got and should != should) or abs(got - should) <= allowed
sys.exit(0 if same else 1)
