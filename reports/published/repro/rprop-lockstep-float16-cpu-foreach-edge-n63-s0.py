"""Rprop: step 2, parameter 0, prev[27] = -0x1.0000000000000p-24 (-5.96046448e-08), but should be 0x0.0p+0 (0)

Case rprop-lockstep-float16-cpu-foreach-edge-n63-s0.

Made by optimbench. Exit status 1 while the difference is there, 0 once it is gone.
"""

import sys

import torch

F = float.fromhex  # numbers are written as hex floats
inf, nan = float("inf"), float("nan")

p0 = torch.nn.Parameter(torch.tensor([F("0x1.5b80000000000p-4"), F("-0x1.aa00000000000p-3"), F("-0x1.06c0000000000p+1"), F("-0x1.b9c0000000000p-1"), F("-0x1.8140000000000p-1"), F("0x1.08c0000000000p-1"), F("-0x1.b5c0000000000p-2"), F("-0x1.f100000000000p+0"), F("0x1.6040000000000p+0"), F("0x1.5340000000000p+0"), F("0x1.0680000000000p+0"), F("0x1.a7c0000000000p-3"), F("-0x1.9240000000000p-2"), F("-0x1.ed40000000000p-2"), F("-0x1.f900000000000p-1"), F("-0x1.10c0000000000p+0"), F("0x1.c400000000000p-1"), F("0x1.8ac0000000000p-2"), F("-0x1.2980000000000p-4"), F("-0x1.3140000000000p+1"), F("-0x1.b980000000000p+0"), F("-0x1.6d40000000000p+0"), F("0x1.6340000000000p+0"), F("-0x1.c640000000000p-2"), F("-0x1.c6c0000000000p-2"), F("-0x1.8880000000000p+0"), F("0x1.7c40000000000p-4"), F("-0x1.9c00000000000p-1"), F("-0x1.f840000000000p-1"), F("-0x1.4940000000000p+0"), F("-0x1.7180000000000p-2"), F("0x1.2880000000000p+0"), F("-0x1.f400000000000p-2")], dtype=torch.float64).to(torch.float16))
optimizer = torch.optim.Rprop([{"params": [p0], 'etas': (0.25, 2.0), 'step_sizes': (0.005, 0.15), 'maximize': True}], foreach=True)

# step 1
p0.grad = torch.tensor([-0.0, F("-0x1.4880000000000p-3"), F("0x1.0000000000000p-24"), F("0x1.6e00000000000p+0"), 0.0, F("-0x1.9840000000000p-7"), F("0x1.6900000000000p-2"), F("-0x1.5480000000000p-2"), 1.0, F("0x1.0000000000000p-24"), F("0x1.0000000000000p-24"), 0.0, F("-0x1.1180000000000p-2"), F("0x1.01c0000000000p-1"), F("0x1.8200000000000p-2"), F("0x1.ffc0000000000p+3"), F("0x1.0d80000000000p+1"), F("-0x1.3640000000000p-2"), 0.0, 0.0, F("-0x1.ffc0000000000p+3"), F("0x1.7580000000000p+0"), F("0x1.8880000000000p-2"), F("0x1.ffc0000000000p+3"), F("0x1.a1c0000000000p-2"), 0.0, F("0x1.7940000000000p-1"), F("-0x1.7400000000000p-4"), F("-0x1.dac0000000000p+0"), F("-0x1.5480000000000p-4"), F("0x1.8e80000000000p+0"), F("0x1.0000000000000p-14"), 0.0], dtype=torch.float64).to(torch.float16)
optimizer.step()

# step 2
p0.grad = torch.tensor([F("0x1.ffc0000000000p+3"), -0.0, -0.0, F("0x1.ffc0000000000p+3"), 0.0, F("0x1.23c0000000000p-1"), F("-0x1.9380000000000p-3"), F("0x1.9c40000000000p-4"), F("0x1.0000000000000p-24"), F("0x1.0000000000000p-24"), F("0x1.b940000000000p-2"), 0.0, F("0x1.e680000000000p-6"), F("0x1.0000000000000p-14"), F("0x1.ffc0000000000p+3"), F("0x1.0000000000000p-7"), -0.0, F("0x1.ffc0000000000p+3"), 0.0, F("0x1.0000000000000p-24"), F("-0x1.d980000000000p-2"), F("0x1.0000000000000p-24"), F("-0x1.ffc0000000000p+3"), F("-0x1.ffc0000000000p+3"), F("0x1.0000000000000p-7"), 0.0, 1.0, F("0x1.0000000000000p-24"), F("0x1.0000000000000p-7"), F("0x1.2500000000000p-1"), 0.0, F("0x1.ffc0000000000p+3"), 0.0], dtype=torch.float64).to(torch.float16)
optimizer.step()
got = optimizer.state[p0]['prev'][27]
what, should, allowed = 'prev', 0.0, 0.0

got = float(got)
print(f"torch {torch.__version__}: {what} is {got!r}, but should be {should!r}, give or take {allowed:.3g}")
same = got == should or (got != got and should != should) or abs(got - should) <= allowed
sys.exit(0 if same else 1)
