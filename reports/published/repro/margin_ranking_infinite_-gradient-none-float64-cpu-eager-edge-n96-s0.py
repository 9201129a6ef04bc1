"""MarginRankingLoss: d/dtarget[0] = nan (nan), but should be 0x0.0p+0 (0)

Case margin_ranking[infinite]-gradient-none-float64-cpu-eager-edge-n96-s0.

Made by lossbench. Exit status 1 while the difference is there, 0 once it is gone.
"""

import sys

import torch

F = float.fromhex  # numbers are written as hex floats
inf, nan = float("inf"), float("nan")

input1 = torch.tensor([F("0x1.8b438af2375e7p+1")], dtype=torch.float64).requires_grad_()
input2 = torch.tensor([inf], dtype=torch.float64).requires_grad_()
target = torch.tensor([-1.0], dtype=torch.float64).requires_grad_()
loss = torch.nn.MarginRankingLoss(reduction='none')
value = loss(input1, input2, target)
value.backward(torch.tensor([1.0], dtype=torch.float64).to(value))
got = target.grad[0]
what, should, allowed = 'd/dtarget', 0.0, 0.0

got = float(got)
print(f"torch {torch.__version__}: {what} is {got!r}, but should be {should!r}, give or take {allowed:.3g}")
same = got == should or (got != got and should != should) or abs(got - should) <= allowed
sys.exit(0 if same else 1)
