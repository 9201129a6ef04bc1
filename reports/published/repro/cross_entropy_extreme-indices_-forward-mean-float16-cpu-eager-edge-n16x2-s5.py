"""CrossEntropyLoss: value = inf (inf), but should be 0x1.83a8a9b000000p+15 (49620.3314)

Case cross_entropy[extreme-indices]-forward-mean-float16-cpu-eager-edge-n16x2-s5.

Made by lossbench. Exit status 1 while the difference is there, 0 once it is gone.
"""

import sys

import torch

F = float.fromhex  # numbers are written as hex floats
inf, nan = float("inf"), float("nan")

input = torch.tensor([49120.0, -1000.5, 49120.0, F("-0x1.4d80000000000p-3")], dtype=torch.float64).reshape(2, 2).to(torch.float16)
target = torch.tensor([1, 1], dtype=torch.int64)
loss = torch.nn.CrossEntropyLoss(reduction='mean')
value = loss(input, target)
got = value.detach()
what, should, allowed = 'value', F("0x1.83a8a9b000000p+15"), F("0x1.231dcd75f3407p+9")

got = float(got)
print(f"torch {torch.__version__}: {what} is {got!r}, but should be {should!r}, give or take {allowed:.3g}")
same = got == should or (got != got and should != should) or abs(got - should) <= allowed
sys.exit(0 if same else 1)
