"""AdamW: step 1, parameter 0, parameter[0, 1] = nan (nan), but should be 0x1.c2fed86ec17ecp-1 (0.880850566)

Case adamw-at_rest-float16-cpu-foreach-edge-n63-s0.

Made by optimbench. Exit status 1 while the difference is there, 0 once it is gone.
"""

import sys

import torch

F = float.fromhex  # numbers are written as hex floats
inf, nan = float("inf"), float("nan")

p0 = torch.nn.Parameter(torch.tensor([F("0x1.a380000000000p-1"), F("0x1.c300000000000p-1"), F("0x1.db80000000000p-3"), F("-0x1.48c0000000000p-1"), F("-0x1.25c0000000000p-1"), F("0x1.e500000000000p+0"), F("0x1.02c0000000000p-3"), F("0x1.f280000000000p-4"), F("0x1.ed80000000000p-6"), F("0x1.5f40000000000p-2"), F("0x1.1240000000000p-1"), F("0x1.8e40000000000p-1"), F("-0x1.6a40000000000p-1"), F("-0x1.05c0000000000p-2"), F("0x1.a280000000000p-4"), F("0x1.6a40000000000p+0"), F("-0x1.7440000000000p+0"), F("-0x1.3440000000000p-1"), F("-0x1.1f00000000000p-2"), F("0x1.ed80000000000p-3")], dtype=torch.float64).reshape(4, 5).to(torch.float16))
optimizer = torch.optim.AdamW([{"params": [p0]}], foreach=True)

# step 1
p0.grad = torch.tensor([F("0x1.81c0000000000p-2"), 0.0, F("-0x1.2cc0000000000p-1"), 0.0, F("0x1.2a00000000000p+0"), -0.0, F("-0x1.1bc0000000000p-2"), 1.0, -0.0, F("0x1.0000000000000p-14"), 0.0, F("0x1.0000000000000p-14"), F("0x1.0500000000000p-2"), -0.0, -0.0, 0.0, F("0x1.0000000000000p-7"), 0.0, F("0x1.b8c0000000000p-3"), F("-0x1.3b80000000000p+0")], dtype=torch.float64).reshape(4, 5).to(torch.float16)
optimizer.step()
got = p0.detach()[0, 1]
what, should, allowed = 'parameter', F("0x1.c2fed86ec17ecp-1"), F("0x1.c2fed86ec17ecp-10")

got = float(got)
print(f"torch {torch.__version__}: {what} is {got!r}, but should be {should!r}, give or take {allowed:.3g}")
same = got == should or (got != got and should != should) or abs(got - should) <= allowed
sys.exit(0 if same else 1)
