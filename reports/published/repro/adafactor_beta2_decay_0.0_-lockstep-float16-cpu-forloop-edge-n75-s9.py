"""Adafactor: step 1, parameter 0, parameter[0, 1] = 0x1.9e00000000000p-3 (0.202148438), but should be 0x1.95382165ff94ap-3 (0.197860967)

Case adafactor[beta2_decay=0.0]-lockstep-float16-cpu-forloop-edge-n75-s9.

Made by optimbench. Exit status 1 while the difference is there, 0 once it is gone.
"""

import sys

import torch

F = float.fromhex  # numbers are written as hex floats
inf, nan = float("inf"), float("nan")

p0 = torch.nn.Parameter(torch.tensor([F("0x1.87c0000000000p-3"), F("0x1.a3c0000000000p-3"), F("0x1.dc40000000000p-2"), F("0x1.5d80000000000p+0"), F("-0x1.a180000000000p-1"), F("-0x1.eb80000000000p-5"), F("-0x1.4640000000000p-2"), F("-0x1.5440000000000p-1"), F("0x1.e9c0000000000p-3"), F("-0x1.c040000000000p+0"), F("0x1.0240000000000p-3"), F("-0x1.7280000000000p-7"), F("-0x1.5080000000000p-1"), F("0x1.4a80000000000p-4"), F("0x1.4d00000000000p-1"), F("0x1.e9c0000000000p-2"), F("-0x1.5bc0000000000p-1"), F("0x1.4940000000000p-1")], dtype=torch.float64).reshape(2, 9).to(torch.float16))
optimizer = torch.optim.Adafactor([{"params": [p0]}], beta2_decay=0.0, foreach=False)

# step 1
p0.grad = torch.tensor([F("0x1.0000000000000p-14"), F("0x1.e440000000000p-7"), F("0x1.0000000000000p-14"), -0.0, F("0x1.0000000000000p-7"), 0.0, F("0x1.6580000000000p-5"), -0.0, F("0x1.3040000000000p-5"), F("0x1.1100000000000p-6"), F("0x1.0000000000000p-24"), 0.0, 0.0, -0.0, 0.0, -0.0, 0.0, F("0x1.0000000000000p-24")], dtype=torch.float64).reshape(2, 9).to(torch.float16)
optimizer.step()
got = p0.detach()[0, 1]
what, should, allowed = 'parameter', F("0x1.95382165ff94ap-3"), F("0x1.192b698a6bff8p-10")

got = float(got)
print(f"torch {torch.__version__}: {what} is {got!r}, but should be {should!r}, give or take {allowed:.3g}")
same = got == should or (got != got and should != should) or abs(got - should) <= allowed
sys.exit(0 if same else 1)
