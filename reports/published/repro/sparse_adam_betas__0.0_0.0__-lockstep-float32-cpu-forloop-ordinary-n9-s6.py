"""SparseAdam: step 3, parameter 0, exp_avg_sq[1] = 0x1.7400000000000p-29 (2.70665623e-09), but should be 0x1.7287e2309e880p-29 (2.69596636e-09)

Case sparse_adam[betas=(0.0,0.0)]-lockstep-float32-cpu-forloop-ordinary-n9-s6.

Made by optimbench. Exit status 1 while the difference is there, 0 once it is gone.
"""

import sys

import torch

F = float.fromhex  # numbers are written as hex floats
inf, nan = float("inf"), float("nan")

p0 = torch.nn.Parameter(torch.tensor([F("0x1.4523ae0000000p-5"), F("-0x1.cd81b80000000p-1"), F("-0x1.a3aac80000000p-3")], dtype=torch.float64).to(torch.float32))
optimizer = torch.optim.SparseAdam([{"params": [p0]}], betas=(0.0, 0.0))

# step 1
p0.grad = torch.tensor([F("-0x1.d2ddac0000000p-6"), F("-0x1.2d182e0000000p-6"), 0.0], dtype=torch.float64).to(torch.float32).to_sparse(1)
optimizer.step()

# step 2
p0.grad = torch.tensor([0.0, 0.0, F("-0x1.2123cc0000000p+0")], dtype=torch.float64).to(torch.float32).to_sparse(1)
optimizer.step()

# step 3
p0.grad = torch.tensor([0.0, F("0x1.b38f240000000p-15"), 0.0], dtype=torch.float64).to(torch.float32).to_sparse(1)
optimizer.step()
got = optimizer.state[p0]['exp_avg_sq'][1]
what, should, allowed = 'exp_avg_sq', F("0x1.7287e2309e880p-29"), F("0x1.7287e45f4f6c9p-49")

got = float(got)
print(f"torch {torch.__version__}: {what} is {got!r}, but should be {should!r}, give or take {allowed:.3g}")
same = got == should or (got != got and should != should) or abs(got - should) <= allowed
sys.exit(0 if same else 1)
