"""RAdam: step 1, parameter 0, parameter[1, 0] = nan (nan), but should be -0x1.82c0000083127p-1 (-0.755371094)

Case radam-lockstep-float16-cpu-foreach-edge-n63-s0.

Made by optimbench. Exit status 1 while the difference is there, 0 once it is gone.
"""

import sys

import torch

F = float.fromhex  # numbers are written as hex floats
inf, nan = float("inf"), float("nan")

p0 = torch.nn.Parameter(torch.tensor([F("0x1.e080000000000p-2"), F("0x1.0040000000000p+0"), F("-0x1.3ac0000000000p-1"), F("0x1.ce40000000000p-4"), F("-0x1.4440000000000p+0"), F("-0x1.82c0000000000p-1"), F("0x1.0240000000000p-6"), F("-0x1.2280000000000p+1"), F("-0x1.2600000000000p-2"), F("0x1.a340000000000p+0"), F("0x1.1080000000000p-2"), F("0x1.62c0000000000p-2"), F("0x1.4d00000000000p+0"), F("-0x1.6dc0000000000p+0"), F("-0x1.4dc0000000000p-3"), F("-0x1.8a80000000000p-1"), F("0x1.0f40000000000p-2"), F("0x1.5d80000000000p-1"), F("0x1.bf80000000000p-1"), F("-0x1.afc0000000000p-2")], dtype=torch.float64).reshape(4, 5).to(torch.float16))
optimizer = torch.optim.RAdam([{"params": [p0]}], foreach=True)

# step 1
p0.grad = torch.tensor([F("-0x1.1a00000000000p-1"), F("-0x1.e400000000000p-2"), F("0x1.b800000000000p-2"), 0.0, F("0x1.aa00000000000p-3"), F("0x1.0000000000000p-24"), F("0x1.1780000000000p-2"), 0.0, F("-0x1.3900000000000p+0"), F("0x1.0000000000000p-24"), 0.0, -0.0, -0.0, F("-0x1.3100000000000p-2"), F("0x1.6440000000000p-2"), F("0x1.ffc0000000000p+3"), F("0x1.0000000000000p-7"), 0.0, F("0x1.0000000000000p-7"), F("-0x1.ffc0000000000p+3")], dtype=torch.float64).reshape(4, 5).to(torch.float16)
optimizer.step()
got = p0.detach()[1, 0]
what, should, allowed = 'parameter', F("-0x1.82c0000083127p-1"), F("0x1.82d02f32bc6d2p-10")

got = float(got)
print(f"torch {torch.__version__}: {what} is {got!r}, but should be {should!r}, give or take {allowed:.3g}")
same = got == should or (got != got and should != should) or abs(got - should) <= allowed
sys.exit(0 if same else 1)
