"""Adagrad: step 1, parameter 0, parameter[0, 0, 0] = nan (nan), but should be 0x1.0840000000000p+0 (1.03222656)

Case adagrad[maximize=True]-at_rest-float16-cpu-fused-edge-n61-s5.

Made by optimbench. Exit status 1 while the difference is there, 0 once it is gone.
"""

import sys

import torch

F = float.fromhex  # numbers are written as hex floats
inf, nan = float("inf"), float("nan")

p0 = torch.nn.Parameter(torch.tensor([F("0x1.0840000000000p+0"), F("-0x1.0900000000000p+0"), F("0x1.0180000000000p-10"), F("0x1.f2c0000000000p-3"), F("0x1.6e00000000000p+1"), F("0x1.50c0000000000p-1"), F("-0x1.b100000000000p-1"), F("-0x1.5300000000000p-1"), F("0x1.5180000000000p-1"), F("-0x1.afc0000000000p+0"), F("0x1.1880000000000p-5"), F("0x1.6840000000000p-2"), F("0x1.00c0000000000p+0"), F("0x1.9a00000000000p+1"), F("-0x1.5340000000000p-3"), F("0x1.b480000000000p+0"), F("-0x1.0c40000000000p+0"), F("-0x1.5d40000000000p-3"), F("-0x1.8140000000000p-1"), F("-0x1.5900000000000p-2"), F("-0x1.1fc0000000000p+0"), F("-0x1.1600000000000p+0"), F("-0x1.43c0000000000p-1"), F("0x1.05c0000000000p+0"), F("0x1.6040000000000p-1"), F("-0x1.3440000000000p-1"), F("0x1.7000000000000p-6"), F("0x1.3cc0000000000p+1"), F("0x1.a640000000000p-1"), F("-0x1.4ec0000000000p+0")], dtype=torch.float64).reshape(3, 2, 5).to(torch.float16))
optimizer = torch.optim.Adagrad([{"params": [p0], 'maximize': False}], maximize=True, fused=True)

# step 1
p0.grad = torch.tensor([-0.0, 0.0, F("-0x1.5480000000000p-1"), 0.0, -0.0, 0.0, 0.0, F("-0x1.ffc0000000000p+3"), F("0x1.0000000000000p-14"), F("0x1.8940000000000p-1"), F("-0x1.6d40000000000p+0"), F("-0x1.6f40000000000p-4"), -0.0, 0.0, -0.0, F("0x1.ffc0000000000p+3"), F("0x1.ffc0000000000p+3"), F("-0x1.3340000000000p-1"), F("0x1.0000000000000p-14"), F("0x1.7580000000000p-1"), 0.0, F("-0x1.ffc0000000000p+3"), F("0x1.0000000000000p-14"), 0.0, F("0x1.e9c0000000000p+0"), F("0x1.f540000000000p-1"), F("0x1.8e80000000000p+0"), 0.0, 0.0, F("0x1.4e40000000000p-2")], dtype=torch.float64).reshape(3, 2, 5).to(torch.float16)
optimizer.step()
got = p0.detach()[0, 0, 0]
what, should, allowed = 'parameter', F("0x1.0840000000000p+0"), F("0x1.0840000000000p-9")

got = float(got)
print(f"torch {torch.__version__}: {what} is {got!r}, but should be {should!r}, give or take {allowed:.3g}")
same = got == should or (got != got and should != should) or abs(got - should) <= allowed
sys.exit(0 if same else 1)
