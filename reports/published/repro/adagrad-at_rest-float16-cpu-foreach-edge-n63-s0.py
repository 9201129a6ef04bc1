"""Adagrad: step 1, parameter 0, parameter[0, 1] = nan (nan), but should be -0x1.de00000000000p+0 (-1.8671875)

Case adagrad-at_rest-float16-cpu-foreach-edge-n63-s0.

Made by optimbench. Exit status 1 while the difference is there, 0 once it is gone.
"""

import sys

import torch

F = float.fromhex  # numbers are written as hex floats
inf, nan = float("inf"), float("nan")

p0 = torch.nn.Parameter(torch.tensor([F("-0x1.59c0000000000p-1"), F("-0x1.de00000000000p+0"), F("0x1.0a80000000000p+0"), F("-0x1.0900000000000p+0"), F("-0x1.8b80000000000p+0"), F("-0x1.1980000000000p-1"), F("0x1.5900000000000p-3"), F("-0x1.2780000000000p-1"), F("0x1.26c0000000000p+0"), F("-0x1.3600000000000p+0"), F("0x1.4840000000000p-2"), F("0x1.8d40000000000p-1"), F("-0x1.ff40000000000p-1"), F("0x1.9e40000000000p-2"), F("0x1.2f00000000000p-4"), F("-0x1.79c0000000000p-2"), F("-0x1.0580000000000p+1"), F("-0x1.4400000000000p-2"), F("-0x1.28c0000000000p-2"), F("-0x1.a440000000000p+0")], dtype=torch.float64).reshape(4, 5).to(torch.float16))
optimizer = torch.optim.Adagrad([{"params": [p0]}], foreach=True)

# step 1
p0.grad = torch.tensor([F("0x1.0a80000000000p+0"), -0.0, -0.0, 0.0, F("0x1.8800000000000p+0"), 1.0, F("-0x1.2f80000000000p+0"), F("0x1.7640000000000p-1"), F("0x1.dac0000000000p-3"), 0.0, 0.0, F("-0x1.1f40000000000p-1"), -0.0, F("-0x1.ffc0000000000p+3"), -0.0, 1.0, F("0x1.0000000000000p-7"), 0.0, F("-0x1.a340000000000p-6"), F("0x1.0000000000000p-7")], dtype=torch.float64).reshape(4, 5).to(torch.float16)
optimizer.step()
got = p0.detach()[0, 1]
what, should, allowed = 'parameter', F("-0x1.de00000000000p+0"), F("0x1.de00000000000p-9")

got = float(got)
print(f"torch {torch.__version__}: {what} is {got!r}, but should be {should!r}, give or take {allowed:.3g}")
same = got == should or (got != got and should != should) or abs(got - should) <= allowed
sys.exit(0 if same else 1)
