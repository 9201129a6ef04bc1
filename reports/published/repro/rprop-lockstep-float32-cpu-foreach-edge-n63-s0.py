"""Rprop: step 2, parameter 0, prev[3, 3] = -0x1.7450220000000p-3 (-0.181793466), but should be 0x0.0p+0 (0)

Case rprop-lockstep-float32-cpu-foreach-edge-n63-s0.

Made by optimbench. Exit status 1 while the difference is there, 0 once it is gone.
"""

import sys

import torch

F = float.fromhex  # numbers are written as hex floats
inf, nan = float("inf"), float("nan")

p0 = torch.nn.Parameter(torch.tensor([F("0x1.440c200000000p+0"), F("0x1.c211780000000p-1"), F("0x1.f6f4b80000000p+0"), F("0x1.f14aae0000000p+0"), F("-0x1.4205be0000000p-1"), F("0x1.36c17a0000000p-1"), F("-0x1.0bd0160000000p+0"), F("0x1.4381c20000000p+1"), F("-0x1.1535680000000p+0"), F("0x1.55a5740000000p-2"), F("-0x1.afe8340000000p-3"), F("0x1.a731c00000000p+0"), F("0x1.e80d7c0000000p+0"), F("-0x1.5e2a280000000p-1"), F("-0x1.d0787a0000000p-5"), F("-0x1.c854740000000p+0"), F("0x1.3dc4e20000000p-3"), F("0x1.845f480000000p+0"), F("0x1.d149540000000p-1"), F("-0x1.cab3320000000p-3")], dtype=torch.float64).reshape(4, 5).to(torch.float32))
optimizer = torch.optim.Rprop([{"params": [p0]}], foreach=True)

# step 1
p0.grad = torch.tensor([0.0, F("-0x1.fffffe0000000p+59"), F("0x1.65fa460000000p-1"), 0.0, F("0x1.0000000000000p-126"), 1.0, F("0x1.0000000000000p-126"), 0.0, F("-0x1.60824a0000000p+0"), F("0x1.0000000000000p-63"), 0.0, F("0x1.0000000000000p-63"), F("0x1.0000000000000p-126"), F("0x1.44fff60000000p+0"), F("0x1.7f8e840000000p-2"), 0.0, F("0x1.0000000000000p-126"), 0.0, F("0x1.0000000000000p-149"), F("0x1.fffffe0000000p+59")], dtype=torch.float64).reshape(4, 5).to(torch.float32)
optimizer.step()

# step 2
p0.grad = torch.tensor([F("-0x1.e462640000000p-1"), F("0x1.0a5a5c0000000p+0"), F("-0x1.992c2c0000000p+0"), 0.0, F("-0x1.ae42120000000p-3"), F("-0x1.b75c5e0000000p-1"), F("-0x1.fffffe0000000p+59"), F("-0x1.c402ac0000000p-2"), F("0x1.d9292a0000000p-1"), F("0x1.0000000000000p-63"), 0.0, F("0x1.0114fa0000000p+0"), F("0x1.bbfc540000000p+0"), 1.0, F("0x1.7f676c0000000p-1"), F("-0x1.986c4e0000000p-3"), F("0x1.0000000000000p-126"), 0.0, F("-0x1.7450220000000p-3"), 0.0], dtype=torch.float64).reshape(4, 5).to(torch.float32)
optimizer.step()
got = optimizer.state[p0]['prev'][3, 3]
what, should, allowed = 'prev', 0.0, 0.0

got = float(got)
print(f"torch {torch.__version__}: {what} is {got!r}, but should be {should!r}, give or take {allowed:.3g}")
same = got == should or (got != got and should != should) or abs(got - should) <= allowed
sys.exit(0 if same else 1)
