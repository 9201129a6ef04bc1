"""CrossEntropyLoss: value = nan (nan), but should be -0x0.0p+0 (-0)

Case cross_entropy[extreme-indices,weight=per_class,label_smoothing=0.1]-forward-sum-float64-cpu-eager-edge-n6x2-s4.

Made by lossbench. Exit status 1 while the difference is there, 0 once it is gone.
"""

import sys

import torch

F = float.fromhex  # numbers are written as hex floats
inf, nan = float("inf"), float("nan")

input = torch.tensor([F("0x1.2ba26b5406059p+1"), -inf], dtype=torch.float64).reshape(1, 2)
target = torch.tensor([0], dtype=torch.int64)
weight = torch.tensor([1.25, 0.0], dtype=torch.float64)
loss = torch.nn.CrossEntropyLoss(weight=weight, label_smoothing=0.1, reduction='sum')
value = loss(input, target)
got = value.detach()
what, should, allowed = 'value', -0.0, F("0x1.7c00000000009p-49")

got = float(got)
print(f"torch {torch.__version__}: {what} is {got!r}, but should be {should!r}, give or take {allowed:.3g}")
same = got == should or (got != got and should != should) or abs(got - should) <= allowed
sys.exit(0 if same else 1)
