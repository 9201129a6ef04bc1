"""Rprop: step 2, parameter 0, prev[0] = 0x1.b080000000000p-4 (0.10559082), but should be 0x0.0p+0 (0)

Case rprop[etas=(0.25,2.0),step_sizes=(0.005,0.15),maximize=True]-lockstep-float16-cpu-forloop-edge-n9-s1.

Made by optimbench. Exit status 1 while the difference is there, 0 once it is gone.
"""

import sys

import torch

F = float.fromhex  # numbers are written as hex floats
inf, nan = float("inf"), float("nan")

p0 = torch.nn.Parameter(torch.tensor([F("0x1.0740000000000p+0")], dtype=torch.float64).to(torch.float16))
optimizer = torch.optim.Rprop([{"params": [p0]}], etas=(0.25, 2.0), step_sizes=(0.005, 0.15), maximize=True, foreach=False)

# step 1
p0.grad = torch.tensor([F("0x1.0000000000000p-24")], dtype=torch.float64).to(torch.float16)
optimizer.step()

# step 2
p0.grad = torch.tensor([F("-0x1.b080000000000p-4")], dtype=torch.float64).to(torch.float16)
optimizer.step()
got = optimizer.state[p0]['prev'][0]
what, should, allowed = 'prev', 0.0, 0.0

got = float(got)
print(f"torch {torch.__version__}: {what} is {got!r}, but should be {should!r}, give or take {allowed:.3g}")
same = got == should or (got != got and should != should) or abs(got - should) <= allowed
sys.exit(0 if same else 1)
