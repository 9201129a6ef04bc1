"""CrossEntropyLoss: value[0, 0, 0] = nan (nan), but should be 0x0.0p+0 (0)

Case cross_entropy[extreme-indices,weight=per_class,label_smoothing=0.1]-incoming-none-float16-cpu-eager-edge-n2x3x2x2-s2.

Made by lossbench. Exit status 1 while the difference is there, 0 once it is gone.
"""

import sys

import torch

F = float.fromhex  # numbers are written as hex floats
inf, nan = float("inf"), float("nan")

input = torch.tensor([1026.0, 0.0, 1021.5, -1023.5, -inf, -inf, 1024.0, 1022.0, -inf, -inf, 1018.5, 1023.5], dtype=torch.float64).reshape(1, 3, 2, 2).to(torch.float16).requires_grad_()
target = torch.tensor([2, -100, 2, -100], dtype=torch.int64).reshape(1, 2, 2)
loss = torch.nn.CrossEntropyLoss(weight=torch.tensor([0.5, 0.0, 0.0], dtype=torch.float64).to(torch.float16), label_smoothing=0.1, reduction='none')
value = loss(input, target)
value.backward(torch.tensor([-1.75, 0.5, -1.75, -1.5], dtype=torch.float64).reshape(1, 2, 2).to(torch.float16).to(value))
got = value.detach()[0, 0, 0]
what, should, allowed = 'value', 0.0, F("0x1.7a12916c405d0p-13")

got = float(got)
print(f"torch {torch.__version__}: {what} is {got!r}, but should be {should!r}, give or take {allowed:.3g}")
same = got == should or (got != got and should != should) or abs(got - should) <= allowed
sys.exit(0 if same else 1)
