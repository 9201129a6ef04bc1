"""Adafactor: step 1, parameter 0, parameter[0, 0, 1, 0] = 0x1.7100000000000p-3 (0.180175781), but should be 0x1.6e6b6db296c63p-3 (0.178915841)

Case adafactor[d=2.0,weight_decay=0.1]-lockstep-float16-cpu-foreach-edge-n75-s4.

Made by optimbench. Exit status 1 while the difference is there, 0 once it is gone.
"""

import sys

import torch

F = float.fromhex  # numbers are written as hex floats
inf, nan = float("inf"), float("nan")

p0 = torch.nn.Parameter(torch.tensor([F("-0x1.9840000000000p+0"), F("-0x1.f040000000000p-2"), F("0x1.7740000000000p-3"), F("0x1.2000000000000p-5"), F("-0x1.df00000000000p-3"), F("-0x1.1100000000000p+0"), F("-0x1.0d00000000000p-2"), F("-0x1.cc00000000000p-2"), F("-0x1.6700000000000p-2"), F("-0x1.e8c0000000000p-1"), F("0x1.11c0000000000p+1"), F("0x1.5400000000000p-1"), F("-0x1.1100000000000p-1"), F("0x1.0880000000000p+0"), F("-0x1.5bc0000000000p-1"), F("0x1.6c00000000000p-1")], dtype=torch.float64).reshape(2, 2, 2, 2).to(torch.float16))
optimizer = torch.optim.Adafactor([{"params": [p0], 'd': 1.0, 'weight_decay': 0.0}], d=2.0, weight_decay=0.1, foreach=True)

# step 1
p0.grad = torch.tensor([0.0, 0.0, 1.0, F("0x1.0000000000000p-14"), F("0x1.0000000000000p-7"), -0.0, F("0x1.0000000000000p-7"), 0.0, -0.0, 1.0, 0.0, F("0x1.0000000000000p-14"), 1.0, F("0x1.0000000000000p-7"), 0.0, -0.0], dtype=torch.float64).reshape(2, 2, 2, 2).to(torch.float16)
optimizer.step()
got = p0.detach()[0, 0, 1, 0]
what, should, allowed = 'parameter', F("0x1.6e6b6db296c63p-3"), F("0x1.035537761f392p-10")

got = float(got)
print(f"torch {torch.__version__}: {what} is {got!r}, but should be {should!r}, give or take {allowed:.3g}")
same = got == should or (got != got and should != should) or abs(got - should) <= allowed
sys.exit(0 if same else 1)
