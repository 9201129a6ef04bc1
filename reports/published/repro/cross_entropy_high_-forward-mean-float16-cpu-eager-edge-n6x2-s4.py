"""CrossEntropyLoss: value = inf (inf), but should be 0x1.2800000000000p+15 (37888)

Case cross_entropy[high]-forward-mean-float16-cpu-eager-edge-n6x2-s4.

Made by lossbench. Exit status 1 while the difference is there, 0 once it is gone.
"""

import sys

import torch

F = float.fromhex  # numbers are written as hex floats
inf, nan = float("inf"), float("nan")

input = torch.tensor([0.0, 33952.0, 0.0, 41824.0], dtype=torch.float64).reshape(2, 2).to(torch.float16)
target = torch.tensor([0, 0], dtype=torch.int64)
loss = torch.nn.CrossEntropyLoss(reduction='mean')
value = loss(input, target)
got = value.detach()
what, should, allowed = 'value', 37888.0, F("0x1.bc922e748b68ep+8")

got = float(got)
print(f"torch {torch.__version__}: {what} is {got!r}, but should be {should!r}, give or take {allowed:.3g}")
same = got == should or (got != got and should != should) or abs(got - should) <= allowed
sys.exit(0 if same else 1)
