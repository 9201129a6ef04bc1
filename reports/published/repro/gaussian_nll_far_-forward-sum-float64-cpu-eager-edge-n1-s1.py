"""GaussianNLLLoss: value = inf (inf), but should be 0x1.fffffffffffffp+1017 (2.80889552e+306)

Case gaussian_nll[far]-forward-sum-float64-cpu-eager-edge-n1-s1.

Made by lossbench. Exit status 1 while the difference is there, 0 once it is gone.
"""

import sys

import torch

F = float.fromhex  # numbers are written as hex floats
inf, nan = float("inf"), float("nan")

input = torch.tensor([F("0x1.fffffffffffffp+1019")], dtype=torch.float64)
target = torch.tensor([0.0], dtype=torch.float64)
var = torch.tensor([F("0x1.fffffffffffffp+1020")], dtype=torch.float64)
loss = torch.nn.GaussianNLLLoss(reduction='sum')
value = loss(input, target, var)
got = value.detach()
what, should, allowed = 'value', F("0x1.fffffffffffffp+1017"), F("0x1.8000000000000p+969")

got = float(got)
print(f"torch {torch.__version__}: {what} is {got!r}, but should be {should!r}, give or take {allowed:.3g}")
same = got == should or (got != got and should != should) or abs(got - should) <= allowed
sys.exit(0 if same else 1)
