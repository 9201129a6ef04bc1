"""CrossEntropyLoss: value = nan (nan), but should be 0x0.0p+0 (0)

Case cross_entropy[extreme-probabilities,weight=per_class,label_smoothing=0.1]-forward-mean-bfloat16-cpu-eager-edge-n6x2-s4.

Made by lossbench. Exit status 1 while the difference is there, 0 once it is gone.
"""

import sys

import torch

F = float.fromhex  # numbers are written as hex floats
inf, nan = float("inf"), float("nan")

input = torch.tensor([-inf, 0.25], dtype=torch.float64).reshape(1, 2).to(torch.bfloat16)
target = torch.tensor([0.5, 0.5], dtype=torch.float64).reshape(1, 2).to(torch.bfloat16)
loss = torch.nn.CrossEntropyLoss(weight=torch.tensor([0.0, 1.25], dtype=torch.float64).to(torch.bfloat16), label_smoothing=0.1, reduction='mean')
value = loss(input, target)
got = value.detach()
what, should, allowed = 'value', 0.0, F("0x1.a6ce8ec0b454ap-5")

got = float(got)
print(f"torch {torch.__version__}: {what} is {got!r}, but should be {should!r}, give or take {allowed:.3g}")
same = got == should or (got != got and should != should) or abs(got - should) <= allowed
sys.exit(0 if same else 1)
