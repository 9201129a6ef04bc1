"""BCEWithLogitsLoss: value = 0x1.2980a0fcc2547p-107 (7.16211112e-33), but should be 0x1.fde6c6f9d7421p-54 (1.10567257e-16)

Case bce_with_logits[sure]-forward-mean-float64-cpu-eager-ordinary-n4x5-s0.

Made by lossbench. Exit status 1 while the difference is there, 0 once it is gone.
"""

import sys

import torch

F = float.fromhex  # numbers are written as hex floats
inf, nan = float("inf"), float("nan")

input = torch.tensor([F("-0x1.69f5c71658a42p+5"), F("-0x1.e8811832530efp+5"), F("0x1.21a0d5be8d3eap+6"), F("-0x1.303f9cb5c4e9dp+5"), F("-0x1.19814b09b6d44p+5")], dtype=torch.float64).reshape(1, 5)
target = torch.tensor([0.0, 0.0, 1.0, 0.0, 0.0], dtype=torch.float64).reshape(1, 5)
loss = torch.nn.BCEWithLogitsLoss(reduction='mean')
value = loss(input, target)
got = value.detach()
what, should, allowed = 'value', F("0x1.fde6c6f9d7421p-54"), F("0x1.fde6c6f9d7426p-101")

got = float(got)
print(f"torch {torch.__version__}: {what} is {got!r}, but should be {should!r}, give or take {allowed:.3g}")
same = got == should or (got != got and should != should) or abs(got - should) <= allowed
sys.exit(0 if same else 1)
