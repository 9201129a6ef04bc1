"""Adafactor: step 1, parameter 0, parameter[0, 1] = nan (nan), but should be 0x1.3800000000000p-1 (0.609375)

Case adafactor[eps=(1e-30,0.001)]-at_rest-bfloat16-cpu-foreach-edge-n9-s11.

Made by optimbench. Exit status 1 while the difference is there, 0 once it is gone.
"""

import sys

import torch

F = float.fromhex  # numbers are written as hex floats
inf, nan = float("inf"), float("nan")

p0 = torch.nn.Parameter(torch.tensor([F("-0x1.a600000000000p-3"), F("0x1.3800000000000p-1"), F("-0x1.ac00000000000p+0")], dtype=torch.float64).reshape(1, 3).to(torch.bfloat16))
optimizer = torch.optim.Adafactor([{"params": [p0]}], eps=(1e-30, 0.001), foreach=True)

# step 1
p0.grad = torch.tensor([F("0x1.0000000000000p-133"), 0.0, F("-0x1.2a00000000000p+0")], dtype=torch.float64).reshape(1, 3).to(torch.bfloat16)
optimizer.step()
got = p0.detach()[0, 1]
what, should, allowed = 'parameter', F("0x1.3800000000000p-1"), F("0x1.3800000000000p-7")

got = float(got)
print(f"torch {torch.__version__}: {what} is {got!r}, but should be {should!r}, give or take {allowed:.3g}")
same = got == should or (got != got and should != should) or abs(got - should) <= allowed
sys.exit(0 if same else 1)
