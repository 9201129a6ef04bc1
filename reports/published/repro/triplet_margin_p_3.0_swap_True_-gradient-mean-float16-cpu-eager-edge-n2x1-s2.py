"""TripletMarginLoss: d/dpositive[0, 0] = nan (nan), but should be 0x0.0p+0 (0)

Case triplet_margin[p=3.0,swap=True]-gradient-mean-float16-cpu-eager-edge-n2x1-s2.

Made by lossbench. Exit status 1 while the difference is there, 0 once it is gone.
"""

import sys

import torch

F = float.fromhex  # numbers are written as hex floats
inf, nan = float("inf"), float("nan")

anchor = torch.tensor([F("0x1.7e00000000000p+0")], dtype=torch.float64).reshape(1, 1).to(torch.float16)
positive = torch.tensor([F("0x1.7e00000000000p+0")], dtype=torch.float64).reshape(1, 1).to(torch.float16).requires_grad_()
negative = torch.tensor([F("-0x1.7e00000000000p+0")], dtype=torch.float64).reshape(1, 1).to(torch.float16)
loss = torch.nn.TripletMarginLoss(p=3.0, swap=True, reduction='mean')
value = loss(anchor, positive, negative)
value.backward(torch.tensor(1.0, dtype=torch.float64).to(torch.float16).to(value))
got = positive.grad[0, 0]
what, should, allowed = 'd/dpositive', 0.0, 0.0

got = float(got)
print(f"torch {torch.__version__}: {what} is {got!r}, but should be {should!r}, give or take {allowed:.3g}")
same = got == should or (got != got and should != should) or abs(got - should) <= allowed
sys.exit(0 if same else 1)
