"""Adamax: step 1, parameter 0, parameter[0] = nan (nan), but should be -0x1.4240000000000p-6 (-0.0196685791)

Case adamax[betas=(0.5,0.75),eps=0.01,weight_decay=0.1,maximize=True]-at_rest-float16-cpu-forloop-edge-n9-s1.

Made by optimbench. Exit status 1 while the difference is there, 0 once it is gone.
"""

import sys

import torch

F = float.fromhex  # numbers are written as hex floats
inf, nan = float("inf"), float("nan")

p0 = torch.nn.Parameter(torch.tensor([F("-0x1.4240000000000p-6")], dtype=torch.float64).to(torch.float16))
optimizer = torch.optim.Adamax([{"params": [p0], 'betas': (0.9, 0.999), 'eps': 1e-08, 'weight_decay': 0.0, 'maximize': False}], betas=(0.5, 0.75), eps=0.01, weight_decay=0.1, maximize=True, foreach=False)

# step 1
p0.grad = torch.tensor([-0.0], dtype=torch.float64).to(torch.float16)
optimizer.step()
got = p0.detach()[0]
what, should, allowed = 'parameter', F("-0x1.4240000000000p-6"), F("0x1.4240000000000p-15")

got = float(got)
print(f"torch {torch.__version__}: {what} is {got!r}, but should be {should!r}, give or take {allowed:.3g}")
same = got == should or (got != got and should != should) or abs(got - should) <= allowed
sys.exit(0 if same else 1)
