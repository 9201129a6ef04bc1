"""TripletMarginLoss: value = nan (nan), but should be 0x1.0000000000000p+0 (1)

Case triplet_margin[huge]-gradient-sum-bfloat16-cpu-eager-edge-n2x3-s3.

Made by lossbench. Exit status 1 while the difference is there, 0 once it is gone.
"""

import sys

import torch

F = float.fromhex  # numbers are written as hex floats
inf, nan = float("inf"), float("nan")

anchor = torch.tensor([F("0x1.9000000000000p-1"), F("0x1.3400000000000p+0"), F("-0x1.fe00000000000p+127")], dtype=torch.float64).reshape(1, 3).to(torch.bfloat16)
positive = torch.tensor([F("-0x1.2c00000000000p+1"), F("0x1.de00000000000p+0"), F("0x1.8600000000000p+0")], dtype=torch.float64).reshape(1, 3).to(torch.bfloat16)
negative = torch.tensor([F("-0x1.fa00000000000p-4"), F("-0x1.8400000000000p-3"), F("0x1.2600000000000p+2")], dtype=torch.float64).reshape(1, 3).to(torch.bfloat16).requires_grad_()
loss = torch.nn.TripletMarginLoss(reduction='sum')
value = loss(anchor, positive, negative)
value.backward(torch.tensor(1.0, dtype=torch.float64).to(torch.bfloat16).to(value))
got = value.detach()
what, should, allowed = 'value', 1.0, F("0x1.4c4b9c6cbee74p+126")

got = float(got)
print(f"torch {torch.__version__}: {what} is {got!r}, but should be {should!r}, give or take {allowed:.3g}")
same = got == should or (got != got and should != should) or abs(got - should) <= allowed
sys.exit(0 if same else 1)
