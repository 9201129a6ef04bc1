"""CrossEntropyLoss: value[0] = nan (nan), but should be inf (inf)

Case cross_entropy[extreme-indices,label_smoothing=1.0]-incoming-none-float16-cpu-eager-edge-n4x5-s0.

Made by lossbench. Exit status 1 while the difference is there, 0 once it is gone.
"""

import sys

import torch

F = float.fromhex  # numbers are written as hex floats
inf, nan = float("inf"), float("nan")

input = torch.tensor([1025.0, 1023.5, -inf, 1023.5, 1021.0], dtype=torch.float64).reshape(1, 5).to(torch.float16).requires_grad_()
target = torch.tensor([2], dtype=torch.int64)
loss = torch.nn.CrossEntropyLoss(label_smoothing=1.0, reduction='none')
value = loss(input, target)
value.backward(torch.tensor([-1.25], dtype=torch.float64).to(torch.float16).to(value))
got = value.detach()[0]
what, should, allowed = 'value', inf, 0.0

got = float(got)
print(f"torch {torch.__version__}: {what} is {got!r}, but should be {should!r}, give or take {allowed:.3g}")
same = got == should or (got != got and should != should) or abs(got - should) <= allowed
sys.exit(0 if same else 1)
