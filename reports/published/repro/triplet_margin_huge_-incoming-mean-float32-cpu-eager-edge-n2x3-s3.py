"""TripletMarginLoss: value = nan (nan), but should be 0x1.0000000000000p+0 (1)

Case triplet_margin[huge]-incoming-mean-float32-cpu-eager-edge-n2x3-s3.

Made by lossbench. Exit status 1 while the difference is there, 0 once it is gone.
"""

import sys

import torch

F = float.fromhex  # numbers are written as hex floats
inf, nan = float("inf"), float("nan")

anchor = torch.tensor([F("0x1.fffffe0000000p+127"), F("-0x1.5cb67a0000000p+0"), F("0x1.17669e0000000p+0")], dtype=torch.float64).reshape(1, 3).to(torch.float32)
positive = torch.tensor([0.0, F("0x1.37a7d00000000p+0"), F("0x1.4d59020000000p+0")], dtype=torch.float64).reshape(1, 3).to(torch.float32)
negative = torch.tensor([F("-0x1.f91b9c0000000p+0"), F("-0x1.c583b40000000p+1"), F("0x1.2856b40000000p+1")], dtype=torch.float64).reshape(1, 3).to(torch.float32).requires_grad_()
loss = torch.nn.TripletMarginLoss(reduction='mean')
value = loss(anchor, positive, negative)
value.backward(torch.tensor(-0.5, dtype=torch.float64).to(torch.float32).to(value))
got = value.detach()
what, should, allowed = 'value', 1.0, F("0x1.50000e94003d0p+110")

got = float(got)
print(f"torch {torch.__version__}: {what} is {got!r}, but should be {should!r}, give or take {allowed:.3g}")
same = got == should or (got != got and should != should) or abs(got - should) <= allowed
sys.exit(0 if same else 1)
