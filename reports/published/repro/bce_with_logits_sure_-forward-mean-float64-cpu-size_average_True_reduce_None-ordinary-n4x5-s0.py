"""BCEWithLogitsLoss: value = 0x1.8829ab1986566p-17 (1.16873612e-05), but should be 0x1.8829ab1964b91p-17 (1.16873612e-05)

Case bce_with_logits[sure]-forward-mean-float64-cpu-size_average=True,reduce=None-ordinary-n4x5-s0.

Made by lossbench. Exit status 1 while the difference is there, 0 once it is gone.
"""

import sys

import torch

F = float.fromhex  # numbers are written as hex floats
inf, nan = float("inf"), float("nan")

input = torch.tensor([F("-0x1.12be220660e09p+4"), F("-0x1.138dae9da8bdcp+6"), F("0x1.37f648f64300cp+3"), F("-0x1.a2b8819fa588bp+4"), F("-0x1.10a265c951981p+4")], dtype=torch.float64).reshape(1, 5)
target = torch.tensor([0.0, 0.0, 1.0, 0.0, 0.0], dtype=torch.float64).reshape(1, 5)
loss = torch.nn.BCEWithLogitsLoss(size_average=True, reduce=None)
value = loss(input, target)
got = value.detach()
what, should, allowed = 'value', F("0x1.8829ab1964b91p-17"), F("0x1.8829ab1964b96p-64")

got = float(got)
print(f"torch {torch.__version__}: {what} is {got!r}, but should be {should!r}, give or take {allowed:.3g}")
same = got == should or (got != got and should != should) or abs(got - should) <= allowed
sys.exit(0 if same else 1)
