"""TripletMarginLoss: value = nan (nan), but should be 0x1.0000000000000p+0 (1)

Case triplet_margin[huge,eps=0.0]-gradient-sum-float32-cpu-eager-edge-n2x3-s3.

Made by lossbench. Exit status 1 while the difference is there, 0 once it is gone.
"""

import sys

import torch

F = float.fromhex  # numbers are written as hex floats
inf, nan = float("inf"), float("nan")

anchor = torch.tensor([F("-0x1.fffffe0000000p+127"), F("-0x1.173e2c0000000p+0"), F("-0x1.5ec6900000000p-1")], dtype=torch.float64).reshape(1, 3).to(torch.float32)
positive = torch.tensor([F("0x1.77b10c0000000p+1"), F("-0x1.9547220000000p+0"), F("0x1.b6fb180000000p+0")], dtype=torch.float64).reshape(1, 3).to(torch.float32)
negative = torch.tensor([F("-0x1.8186aa0000000p+1"), F("0x1.742c9a0000000p+1"), F("0x1.0000000000000p-149")], dtype=torch.float64).reshape(1, 3).to(torch.float32).requires_grad_()
loss = torch.nn.TripletMarginLoss(eps=0.0, reduction='sum')
value = loss(anchor, positive, negative)
value.backward(torch.tensor(1.0, dtype=torch.float64).to(torch.float32).to(value))
got = value.detach()
what, should, allowed = 'value', 1.0, F("0x1.50000d44002fcp+110")

got = float(got)
print(f"torch {torch.__version__}: {what} is {got!r}, but should be {should!r}, give or take {allowed:.3g}")
same = got == should or (got != got and should != should) or abs(got - should) <= allowed
sys.exit(0 if same else 1)
