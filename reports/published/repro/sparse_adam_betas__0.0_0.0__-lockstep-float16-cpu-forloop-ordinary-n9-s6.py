"""SparseAdam: step 2, parameter 0, exp_avg_sq[1] = 0x1.8000000000000p-13 (0.000183105469), but should be 0x1.4cbd480000000p-13 (0.0001586625)

Case sparse_adam[betas=(0.0,0.0)]-lockstep-float16-cpu-forloop-ordinary-n9-s6.

Made by optimbench. Exit status 1 while the difference is there, 0 once it is gone.
"""

import sys

import torch

F = float.fromhex  # numbers are written as hex floats
inf, nan = float("inf"), float("nan")

p0 = torch.nn.Parameter(torch.tensor([F("0x1.c440000000000p-2"), F("-0x1.e580000000000p-2"), F("0x1.70c0000000000p-2")], dtype=torch.float64).to(torch.float16))
optimizer = torch.optim.SparseAdam([{"params": [p0]}], betas=(0.0, 0.0))

# step 1
p0.grad = torch.tensor([F("0x1.94c0000000000p-5"), F("0x1.2c80000000000p-2"), 0.0], dtype=torch.float64).to(torch.float16).to_sparse(1)
optimizer.step()

# step 2
p0.grad = torch.tensor([0.0, F("-0x1.9cc0000000000p-7"), 0.0], dtype=torch.float64).to(torch.float16).to_sparse(1)
optimizer.step()
got = optimizer.state[p0]['exp_avg_sq'][1]
what, should, allowed = 'exp_avg_sq', F("0x1.4cbd480000000p-13"), F("0x1.cdda444bd84c8p-20")

got = float(got)
print(f"torch {torch.__version__}: {what} is {got!r}, but should be {should!r}, give or take {allowed:.3g}")
same = got == should or (got != got and should != should) or abs(got - should) <= allowed
sys.exit(0 if same else 1)
