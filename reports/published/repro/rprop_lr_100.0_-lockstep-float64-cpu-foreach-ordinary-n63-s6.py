"""Rprop: step 1, parameter 0, step_size[0] = 0x1.9000000000000p+5 (50), but should be 0x1.9000000000000p+6 (100)

Case rprop[lr=100.0]-lockstep-float64-cpu-foreach-ordinary-n63-s6.

Made by optimbench. Exit status 1 while the difference is there, 0 once it is gone.
"""

import sys

import torch

F = float.fromhex  # numbers are written as hex floats
inf, nan = float("inf"), float("nan")

p0 = torch.nn.Parameter(torch.tensor([F("-0x1.7efc0d107b38cp-1")], dtype=torch.float64))
optimizer = torch.optim.Rprop([{"params": [p0]}], lr=100.0, foreach=True)

# step 1
p0.grad = torch.tensor([F("0x1.ef3566e4a7902p-3")], dtype=torch.float64)
optimizer.step()
got = optimizer.state[p0]['step_size'][0]
what, should, allowed = 'step_size', 100.0, F("0x1.9000000000000p-45")

got = float(got)
print(f"torch {torch.__version__}: {what} is {got!r}, but should be {should!r}, give or take {allowed:.3g}")
same = got == should or (got != got and should != should) or abs(got - should) <= allowed
sys.exit(0 if same else 1)
