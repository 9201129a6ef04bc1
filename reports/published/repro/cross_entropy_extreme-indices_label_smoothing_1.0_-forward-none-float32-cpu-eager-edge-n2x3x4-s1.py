"""CrossEntropyLoss: value[0, 1] = nan (nan), but should be inf (inf)

Case cross_entropy[extreme-indices,label_smoothing=1.0]-forward-none-float32-cpu-eager-edge-n2x3x4-s1.

Made by lossbench. Exit status 1 while the difference is there, 0 once it is gone.
"""

import sys

import torch

F = float.fromhex  # numbers are written as hex floats
inf, nan = float("inf"), float("nan")

input = torch.tensor([F("0x1.894cd20000000p+0"), -inf, F("0x1.8f35da0000000p-1"), F("-0x1.62b3f80000000p-1"), F("0x1.96adb40000000p+0"), F("-0x1.f404de0000000p+9"), F("0x1.7764ba0000000p+0"), -inf, -inf, F("-0x1.f3b6780000000p+9"), F("0x1.7d78400000000p+26"), F("-0x1.2d72e60000000p+0")], dtype=torch.float64).reshape(1, 3, 4).to(torch.float32)
target = torch.tensor([1, 0, 2, 1], dtype=torch.int64).reshape(1, 4)
loss = torch.nn.CrossEntropyLoss(label_smoothing=1.0, reduction='none')
value = loss(input, target)
got = value.detach()[0, 1]
what, should, allowed = 'value', inf, 0.0

got = float(got)
print(f"torch {torch.__version__}: {what} is {got!r}, but should be {should!r}, give or take {allowed:.3g}")
same = got == should or (got != got and should != should) or abs(got - should) <= allowed
sys.exit(0 if same else 1)
