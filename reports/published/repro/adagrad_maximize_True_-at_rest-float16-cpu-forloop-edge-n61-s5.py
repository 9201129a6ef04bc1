"""Adagrad: step 1, parameter 0, parameter[4] = nan (nan), but should be 0x1.87c0000000000p-4 (0.0956420898)

Case adagrad[maximize=True]-at_rest-float16-cpu-forloop-edge-n61-s5.

Made by optimbench. Exit status 1 while the difference is there, 0 once it is gone.
"""

import sys

import torch

F = float.fromhex  # numbers are written as hex floats
inf, nan = float("inf"), float("nan")

p0 = torch.nn.Parameter(torch.tensor([F("-0x1.7fc0000000000p+1"), F("0x1.0a00000000000p+0"), F("-0x1.0f00000000000p+0"), F("0x1.6180000000000p+0"), F("0x1.87c0000000000p-4"), F("0x1.b140000000000p-1")], dtype=torch.float64).to(torch.float16))
optimizer = torch.optim.Adagrad([{"params": [p0], 'maximize': False}], maximize=True, foreach=False, fused=False)

# step 1
p0.grad = torch.tensor([F("0x1.0000000000000p-14"), F("0x1.f6c0000000000p-3"), F("0x1.6600000000000p-2"), F("0x1.ffc0000000000p+3"), 0.0, F("0x1.0000000000000p-24")], dtype=torch.float64).to(torch.float16)
optimizer.step()
got = p0.detach()[4]
what, should, allowed = 'parameter', F("0x1.87c0000000000p-4"), F("0x1.87c0000000000p-13")

got = float(got)
print(f"torch {torch.__version__}: {what} is {got!r}, but should be {should!r}, give or take {allowed:.3g}")
same = got == should or (got != got and should != should) or abs(got - should) <= allowed
sys.exit(0 if same else 1)
