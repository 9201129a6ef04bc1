"""CrossEntropyLoss: value = nan (nan), but should be -0x0.0p+0 (-0)

Case cross_entropy[extreme-probabilities,weight=per_class,label_smoothing=0.1]-forward-sum-float64-cpu-eager-edge-n6x2-s4.

Made by lossbench. Exit status 1 while the difference is there, 0 once it is gone.
"""

import sys

import torch

F = float.fromhex  # numbers are written as hex floats
inf, nan = float("inf"), float("nan")

input = torch.tensor([F("0x1.844b9778feeb0p-3"), -inf], dtype=torch.float64).reshape(1, 2)
target = torch.tensor([F("0x1.e0feb252f67c0p-1"), F("0x1.f014dad0983f0p-5")], dtype=torch.float64).reshape(1, 2)
loss = torch.nn.CrossEntropyLoss(weight=torch.tensor([2.0, 0.0], dtype=torch.float64), label_smoothing=0.1, reduction='sum')
value = loss(input, target)
got = value.detach()
what, should, allowed = 'value', -0.0, F("0x1.1e8f444eaaa64p-48")

got = float(got)
print(f"torch {torch.__version__}: {what} is {got!r}, but should be {should!r}, give or take {allowed:.3g}")
same = got == should or (got != got and should != should) or abs(got - should) <= allowed
sys.exit(0 if same else 1)
