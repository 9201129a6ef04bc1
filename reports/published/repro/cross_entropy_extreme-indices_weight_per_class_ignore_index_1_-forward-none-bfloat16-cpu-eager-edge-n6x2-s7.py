"""CrossEntropyLoss: value[0] = nan (nan), but should be 0x0.0p+0 (0)

Case cross_entropy[extreme-indices,weight=per_class,ignore_index=1]-forward-none-bfloat16-cpu-eager-edge-n6x2-s7.

Made by lossbench. Exit status 1 while the difference is there, 0 once it is gone.
"""

import sys

import torch

F = float.fromhex  # numbers are written as hex floats
inf, nan = float("inf"), float("nan")

input = torch.tensor([-inf, 1000.0], dtype=torch.float64).reshape(1, 2).to(torch.bfloat16)
target = torch.tensor([0], dtype=torch.int64)
loss = torch.nn.CrossEntropyLoss(weight=torch.tensor([0.0, 0.25], dtype=torch.float64).to(torch.bfloat16), ignore_index=1, reduction='none')
value = loss(input, target)
got = value.detach()[0]
what, should, allowed = 'value', 0.0, F("0x1.062f6242609ccp-131")

got = float(got)
print(f"torch {torch.__version__}: {what} is {got!r}, but should be {should!r}, give or take {allowed:.3g}")
same = got == should or (got != got and should != should) or abs(got - should) <= allowed
sys.exit(0 if same else 1)
