"""SparseAdam: step 2, parameter 0, exp_avg[0] = 0x0.0p+0 (0), but should be 0x1.c5c625a1bb4d3p-2 (0.443138683)

Case sparse_adam[betas=(0.0,0.0)]-lockstep-float64-cpu-forloop-edge-n9-s6.

Made by optimbench. Exit status 1 while the difference is there, 0 once it is gone.
"""

import sys

import torch

F = float.fromhex  # numbers are written as hex floats
inf, nan = float("inf"), float("nan")

p0 = torch.nn.Parameter(torch.tensor([F("-0x1.35e263a425372p-7")], dtype=torch.float64))
optimizer = torch.optim.SparseAdam([{"params": [p0]}], betas=(0.0, 0.0))

# step 1
p0.grad = torch.tensor([F("0x1.fffffffffffffp+507")], dtype=torch.float64).to_sparse(1)
optimizer.step()

# step 2
p0.grad = torch.tensor([F("0x1.c5c625a1bb4d3p-2")], dtype=torch.float64).to_sparse(1)
optimizer.step()
got = optimizer.state[p0]['exp_avg'][0]
what, should, allowed = 'exp_avg', F("0x1.c5c625a1bb4d3p-2"), F("0x1.54549c394c79fp-51")

got = float(got)
print(f"torch {torch.__version__}: {what} is {got!r}, but should be {should!r}, give or take {allowed:.3g}")
same = got == should or (got != got and should != should) or abs(got - should) <= allowed
sys.exit(0 if same else 1)
