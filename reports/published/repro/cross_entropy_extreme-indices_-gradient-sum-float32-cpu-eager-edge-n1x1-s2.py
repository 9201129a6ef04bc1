"""CrossEntropyLoss: d/dinput[0, 0] = nan (nan), but should be 0x0.0p+0 (0)

Case cross_entropy[extreme-indices]-gradient-sum-float32-cpu-eager-edge-n1x1-s2.

Made by lossbench. Exit status 1 while the difference is there, 0 once it is gone.
"""

import sys

import torch

F = float.fromhex  # numbers are written as hex floats
inf, nan = float("inf"), float("nan")

input = torch.tensor([-inf], dtype=torch.float64).reshape(1, 1).to(torch.float32).requires_grad_()
target = torch.tensor([-100], dtype=torch.int64)
loss = torch.nn.CrossEntropyLoss(reduction='sum')
value = loss(input, target)
value.backward(torch.tensor(1.0, dtype=torch.float64).to(torch.float32).to(value))
got = input.grad[0, 0]
what, should, allowed = 'd/dinput', 0.0, 0.0

got = float(got)
print(f"torch {torch.__version__}: {what} is {got!r}, but should be {should!r}, give or take {allowed:.3g}")
same = got == should or (got != got and should != should) or abs(got - should) <= allowed
sys.exit(0 if same else 1)
