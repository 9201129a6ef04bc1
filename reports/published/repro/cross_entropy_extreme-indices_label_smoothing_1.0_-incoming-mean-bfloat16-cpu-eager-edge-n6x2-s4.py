"""CrossEntropyLoss: value = nan (nan), but should be inf (inf)

Case cross_entropy[extreme-indices,label_smoothing=1.0]-incoming-mean-bfloat16-cpu-eager-edge-n6x2-s4.

Made by lossbench. Exit status 1 while the difference is there, 0 once it is gone.
"""

import sys

import torch

F = float.fromhex  # numbers are written as hex floats
inf, nan = float("inf"), float("nan")

input = torch.tensor([-inf, -1000.0], dtype=torch.float64).reshape(1, 2).to(torch.bfloat16).requires_grad_()
target = torch.tensor([0], dtype=torch.int64)
loss = torch.nn.CrossEntropyLoss(label_smoothing=1.0, reduction='mean')
value = loss(input, target)
value.backward(torch.tensor(-0.75, dtype=torch.float64).to(torch.bfloat16).to(value))
got = value.detach()
what, should, allowed = 'value', inf, 0.0

got = float(got)
print(f"torch {torch.__version__}: {what} is {got!r}, but should be {should!r}, give or take {allowed:.3g}")
same = got == should or (got != got and should != should) or abs(got - should) <= allowed
sys.exit(0 if same else 1)
