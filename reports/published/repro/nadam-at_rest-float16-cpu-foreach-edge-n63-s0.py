"""NAdam: step 1, parameter 0, parameter[0, 3] = nan (nan), but should be -0x1.7280000000000p-2 (-0.361816406)

Case nadam-at_rest-float16-cpu-foreach-edge-n63-s0.

Made by optimbench. Exit status 1 while the difference is there, 0 once it is gone.
"""

import sys

import torch

F = float.fromhex  # numbers are written as hex floats
inf, nan = float("inf"), float("nan")

p0 = torch.nn.Parameter(torch.tensor([F("0x1.3cc0000000000p-1"), F("0x1.c400000000000p+0"), -2.25, F("-0x1.7280000000000p-2"), F("0x1.9a40000000000p+0"), F("0x1.8fc0000000000p-1"), F("-0x1.e100000000000p-4"), F("-0x1.5fc0000000000p-1"), F("0x1.7440000000000p-1"), F("-0x1.dfc0000000000p-1"), F("-0x1.d380000000000p+0"), F("0x1.b640000000000p-1"), F("-0x1.7cc0000000000p-1"), F("0x1.e4c0000000000p-1"), F("0x1.3880000000000p-5"), F("-0x1.9080000000000p-2"), F("-0x1.1900000000000p-1"), F("0x1.7140000000000p-1"), F("-0x1.16c0000000000p-1"), F("-0x1.1980000000000p-1")], dtype=torch.float64).reshape(4, 5).to(torch.float16))
optimizer = torch.optim.NAdam([{"params": [p0]}], foreach=True)

# step 1
p0.grad = torch.tensor([F("-0x1.0c40000000000p+0"), F("0x1.0000000000000p-7"), F("-0x1.ffc0000000000p+3"), 0.0, F("-0x1.f9c0000000000p-3"), F("0x1.7a40000000000p-2"), F("0x1.0000000000000p-14"), 1.0, F("0x1.ffc0000000000p+3"), F("0x1.0000000000000p-24"), 0.0, F("-0x1.21c0000000000p+1"), F("-0x1.1280000000000p-3"), F("0x1.c5c0000000000p-3"), 0.0, 1.0, -0.0, 0.0, F("-0x1.3f40000000000p+0"), 1.0], dtype=torch.float64).reshape(4, 5).to(torch.float16)
optimizer.step()
got = p0.detach()[0, 3]
what, should, allowed = 'parameter', F("-0x1.7280000000000p-2"), F("0x1.7280000000000p-11")

got = float(got)
print(f"torch {torch.__version__}: {what} is {got!r}, but should be {should!r}, give or take {allowed:.3g}")
same = got == should or (got != got and should != should) or abs(got - should) <= allowed
sys.exit(0 if same else 1)
