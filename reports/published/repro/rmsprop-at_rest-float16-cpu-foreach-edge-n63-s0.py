"""RMSprop: step 1, parameter 0, parameter[0, 3] = nan (nan), but should be -0x1.77c0000000000p-1 (-0.733886719)

Case rmsprop-at_rest-float16-cpu-foreach-edge-n63-s0.

Made by optimbench. Exit status 1 while the difference is there, 0 once it is gone.
"""

import sys

import torch

F = float.fromhex  # numbers are written as hex floats
inf, nan = float("inf"), float("nan")

p0 = torch.nn.Parameter(torch.tensor([F("-0x1.0440000000000p-1"), F("-0x1.6800000000000p-1"), F("0x1.cd00000000000p-1"), F("-0x1.77c0000000000p-1"), F("-0x1.8440000000000p-1"), F("0x1.2280000000000p+0"), F("-0x1.7780000000000p-3"), F("0x1.fec0000000000p-2"), F("-0x1.ee40000000000p-3"), F("0x1.5500000000000p-1"), F("-0x1.8200000000000p-1"), F("0x1.68c0000000000p+0"), F("0x1.bc00000000000p+0"), F("-0x1.4c40000000000p+0"), F("-0x1.2f40000000000p-3"), F("-0x1.6f40000000000p-2"), F("0x1.1d00000000000p+0"), F("0x1.5f80000000000p-1"), F("-0x1.2ac0000000000p+0"), F("0x1.5180000000000p-2")], dtype=torch.float64).reshape(4, 5).to(torch.float16))
optimizer = torch.optim.RMSprop([{"params": [p0]}], foreach=True)

# step 1
p0.grad = torch.tensor([F("-0x1.04c0000000000p+0"), F("-0x1.0e40000000000p+0"), 1.0, 0.0, F("0x1.0000000000000p-7"), F("0x1.0000000000000p-7"), F("0x1.0000000000000p-14"), F("0x1.0000000000000p-24"), 1.0, F("0x1.ffc0000000000p+3"), 0.0, 1.0, F("-0x1.ffc0000000000p+3"), F("0x1.be40000000000p-2"), F("-0x1.f880000000000p-1"), F("0x1.fa40000000000p+0"), F("0x1.a140000000000p-2"), 0.0, F("0x1.5900000000000p-1"), 1.0], dtype=torch.float64).reshape(4, 5).to(torch.float16)
optimizer.step()
got = p0.detach()[0, 3]
what, should, allowed = 'parameter', F("-0x1.77c0000000000p-1"), F("0x1.77c0000000000p-10")

got = float(got)
print(f"torch {torch.__version__}: {what} is {got!r}, but should be {should!r}, give or take {allowed:.3g}")
same = got == should or (got != got and should != should) or abs(got - should) <= allowed
sys.exit(0 if same else 1)
