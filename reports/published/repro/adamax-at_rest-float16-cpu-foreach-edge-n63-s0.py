"""Adamax: step 1, parameter 0, parameter[0] = nan (nan), but should be 0x1.03c0000000000p+0 (1.01464844)

Case adamax-at_rest-float16-cpu-foreach-edge-n63-s0.

Made by optimbench. Exit status 1 while the difference is there, 0 once it is gone.
"""

import sys

import torch

F = float.fromhex  # numbers are written as hex floats
inf, nan = float("inf"), float("nan")

p0 = torch.nn.Parameter(torch.tensor([F("0x1.03c0000000000p+0")], dtype=torch.float64).to(torch.float16))
optimizer = torch.optim.Adamax([{"params": [p0]}], foreach=True)

# step 1
p0.grad = torch.tensor([-0.0], dtype=torch.float64).to(torch.float16)
optimizer.step()
got = p0.detach()[0]
what, should, allowed = 'parameter', F("0x1.03c0000000000p+0"), F("0x1.03c0000000000p-9")

got = float(got)
print(f"torch {torch.__version__}: {what} is {got!r}, but should be {should!r}, give or take {allowed:.3g}")
same = got == should or (got != got and should != should) or abs(got - should) <= allowed
sys.exit(0 if same else 1)
