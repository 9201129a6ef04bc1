"""TripletMarginLoss: value[0] = nan (nan), but should be inf (inf)

Case triplet_margin[huge,p=3.0,swap=True]-forward-none-bfloat16-cpu-eager-edge-n3x8-s1.

Made by lossbench. Exit status 1 while the difference is there, 0 once it is gone.
"""

import sys

import torch

F = float.fromhex  # numbers are written as hex floats
inf, nan = float("inf"), float("nan")

anchor = torch.tensor([0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, inf], dtype=torch.float64).reshape(1, 8).to(torch.bfloat16)
positive = torch.tensor([F("0x1.a000000000000p-5"), F("-0x1.e800000000000p-5"), F("-0x1.8c00000000000p-1"), F("-0x1.7e00000000000p+0"), F("-0x1.fe00000000000p+127"), F("0x1.7c00000000000p-6"), F("0x1.a800000000000p+0"), F("0x1.6200000000000p-1")], dtype=torch.float64).reshape(1, 8).to(torch.bfloat16)
negative = torch.tensor([F("-0x1.3600000000000p-1"), F("-0x1.7200000000000p+0"), F("0x1.6400000000000p+1"), F("-0x1.6e00000000000p+1"), F("0x1.f200000000000p-2"), F("-0x1.5600000000000p+2"), -2.8125, F("-0x1.2400000000000p-1")], dtype=torch.float64).reshape(1, 8).to(torch.bfloat16)
loss = torch.nn.TripletMarginLoss(p=3.0, swap=True, reduction='none')
value = loss(anchor, positive, negative)
got = value.detach()[0]
what, should, allowed = 'value', inf, 0.0

got = float(got)
print(f"torch {torch.__version__}: {what} is {got!r}, but should be {should!r}, give or take {allowed:.3g}")
same = got == should or (got != got and should != should) or abs(got - should) <= allowed
sys.exit(0 if same else 1)
