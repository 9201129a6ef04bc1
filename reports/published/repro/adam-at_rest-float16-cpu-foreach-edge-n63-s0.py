"""Adam: step 1, parameter 0, parameter[0, 3] = nan (nan), but should be -0x1.1700000000000p+0 (-1.08984375)

Case adam-at_rest-float16-cpu-foreach-edge-n63-s0.

Made by optimbench. Exit status 1 while the difference is there, 0 once it is gone.
"""

import sys

import torch

F = float.fromhex  # numbers are written as hex floats
inf, nan = float("inf"), float("nan")

p0 = torch.nn.Parameter(torch.tensor([F("0x1.2780000000000p-2"), F("-0x1.b7c0000000000p-2"), F("0x1.c040000000000p-1"), F("-0x1.1700000000000p+0"), F("0x1.19c0000000000p-2"), F("-0x1.4c80000000000p-1"), F("-0x1.6280000000000p-2"), F("0x1.da80000000000p+0"), F("-0x1.23c0000000000p-2"), F("0x1.a100000000000p+0"), F("0x1.67c0000000000p+0"), F("0x1.1180000000000p-1"), F("-0x1.e2c0000000000p-2"), F("-0x1.3d40000000000p-3"), F("-0x1.0940000000000p+0"), F("0x1.7880000000000p-1"), F("0x1.42c0000000000p-2"), F("0x1.4080000000000p-1"), F("0x1.4040000000000p-1"), F("-0x1.9c40000000000p-2")], dtype=torch.float64).reshape(4, 5).to(torch.float16))
optimizer = torch.optim.Adam([{"params": [p0]}], foreach=True)

# step 1
p0.grad = torch.tensor([F("0x1.0000000000000p-24"), F("0x1.0000000000000p-14"), F("0x1.0f80000000000p+0"), 0.0, 1.0, F("0x1.ebc0000000000p-6"), F("-0x1.21c0000000000p+0"), F("-0x1.ffc0000000000p+3"), F("0x1.7200000000000p-1"), 1.0, 0.0, 0.0, F("0x1.6ac0000000000p+0"), F("0x1.ffc0000000000p+3"), F("0x1.0000000000000p-24"), -0.0, F("0x1.0000000000000p-7"), 0.0, 1.0, F("-0x1.ffc0000000000p+3")], dtype=torch.float64).reshape(4, 5).to(torch.float16)
optimizer.step()
got = p0.detach()[0, 3]
what, should, allowed = 'parameter', F("-0x1.1700000000000p+0"), F("0x1.1700000000000p-9")

got = float(got)
print(f"torch {torch.__version__}: {what} is {got!r}, but should be {should!r}, give or take {allowed:.3g}")
same = got == should or (got != got and should != should) or abs(got - should) <= allowed
sys.exit(0 if same else 1)
