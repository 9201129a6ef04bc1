"""CrossEntropyLoss: value[0, 2] = nan (nan), but should be inf (inf)

Case cross_entropy[extreme-indices,label_smoothing=1.0]-forward-none-bfloat16-cpu-eager-edge-n2x3x4-s1.

Made by lossbench. Exit status 1 while the difference is there, 0 once it is gone.
"""

import sys

import torch

F = float.fromhex  # numbers are written as hex floats
inf, nan = float("inf"), float("nan")

input = torch.tensor([F("-0x1.7e00000000000p+26"), F("-0x1.ee00000000000p-2"), -inf, -inf, -0.0, F("-0x1.6800000000000p-3"), F("0x1.1c00000000000p-4"), -1000.0, F("0x1.7e00000000000p+26"), 0.0, -inf, -1000.0], dtype=torch.float64).reshape(1, 3, 4).to(torch.bfloat16)
target = torch.tensor([2, -100, 0, 0], dtype=torch.int64).reshape(1, 4)
loss = torch.nn.CrossEntropyLoss(label_smoothing=1.0, reduction='none')
value = loss(input, target)
got = value.detach()[0, 2]
what, should, allowed = 'value', inf, 0.0

got = float(got)
print(f"torch {torch.__version__}: {what} is {got!r}, but should be {should!r}, give or take {allowed:.3g}")
same = got == should or (got != got and should != should) or abs(got - should) <= allowed
sys.exit(0 if same else 1)
