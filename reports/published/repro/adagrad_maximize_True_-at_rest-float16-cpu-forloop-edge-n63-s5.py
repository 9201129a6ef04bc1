"""Adagrad: step 1, parameter 0, parameter[0] = nan (nan), but should be 0x1.87c0000000000p-4 (0.0956420898)

Case adagrad[maximize=True]-at_rest-float16-cpu-forloop-edge-n63-s5.

Made by optimbench. Exit status 1 while the difference is there, 0 once it is gone.
"""

import sys

import torch

F = float.fromhex  # numbers are written as hex floats
inf, nan = float("inf"), float("nan")

p0 = torch.nn.Parameter(torch.tensor([F("0x1.87c0000000000p-4")], dtype=torch.float64).to(torch.float16))
optimizer = torch.optim.Adagrad([{"params": [p0], 'maximize': False}], maximize=True, foreach=False, fused=False)

# step 1
p0.grad = torch.tensor([0.0], dtype=torch.float64).to(torch.float16)
optimizer.step()
got = p0.detach()[0]
what, should, allowed = 'parameter', F("0x1.87c0000000000p-4"), F("0x1.87c0000000000p-13")

got = float(got)
print(f"torch {torch.__version__}: {what} is {got!r}, but should be {should!r}, give or take {allowed:.3g}")
same = got == should or (got != got and should != should) or abs(got - should) <= allowed
sys.exit(0 if same else 1)
