"""TripletMarginLoss: value[0] = nan (nan), but should be inf (inf)

Case triplet_margin[huge,p=3.0,swap=True]-gradient-none-float32-cpu-eager-edge-n5x4-s0.

Made by lossbench. Exit status 1 while the difference is there, 0 once it is gone.
"""

import sys

import torch

F = float.fromhex  # numbers are written as hex floats
inf, nan = float("inf"), float("nan")

anchor = torch.tensor([F("-0x1.d0c1600000000p+1"), F("-0x1.4596260000000p+1"), -inf, F("0x1.6cdb280000000p+0")], dtype=torch.float64).reshape(1, 4).to(torch.float32).requires_grad_()
positive = torch.tensor([F("-0x1.3add2a0000000p+1"), F("-0x1.77b55c0000000p+1"), F("-0x1.21a1cc0000000p-4"), F("-0x1.a582820000000p+1")], dtype=torch.float64).reshape(1, 4).to(torch.float32).requires_grad_()
negative = torch.tensor([F("0x1.fffffe0000000p+127"), F("0x1.9711760000000p+0"), F("-0x1.f25cf00000000p-3"), F("-0x1.ce41dc0000000p+0")], dtype=torch.float64).reshape(1, 4).to(torch.float32).requires_grad_()
loss = torch.nn.TripletMarginLoss(p=3.0, swap=True, reduction='none')
value = loss(anchor, positive, negative)
value.backward(torch.tensor([1.0], dtype=torch.float64).to(torch.float32).to(value))
got = value.detach()[0]
what, should, allowed = 'value', inf, 0.0

got = float(got)
print(f"torch {torch.__version__}: {what} is {got!r}, but should be {should!r}, give or take {allowed:.3g}")
same = got == should or (got != got and should != should) or abs(got - should) <= allowed
sys.exit(0 if same else 1)
