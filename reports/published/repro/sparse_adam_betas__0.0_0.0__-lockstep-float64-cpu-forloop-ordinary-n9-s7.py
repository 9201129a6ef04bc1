"""SparseAdam: step 3, parameter 0, exp_avg_sq[0] = 0x1.c54647b44ba80p-8 (0.00691642047), but should be 0x1.c54647b44baaep-8 (0.00691642047)

Case sparse_adam[betas=(0.0,0.0)]-lockstep-float64-cpu-forloop-ordinary-n9-s7.

Made by optimbench. Exit status 1 while the difference is there, 0 once it is gone.
"""

import sys

import torch

F = float.fromhex  # numbers are written as hex floats
inf, nan = float("inf"), float("nan")

p0 = torch.nn.Parameter(torch.tensor([F("0x1.16e4ac2ce2a6dp+0")], dtype=torch.float64))
optimizer = torch.optim.SparseAdam([{"params": [p0]}], betas=(0.0, 0.0))

# step 1
p0.grad = torch.tensor([F("-0x1.ca4d16eff991ap-1")], dtype=torch.float64).to_sparse(1)
optimizer.step()

# step 2
p0.grad = torch.tensor([0.0], dtype=torch.float64).to_sparse(1)
optimizer.step()

# step 3
p0.grad = torch.tensor([F("0x1.54a4d7ed867aap-4")], dtype=torch.float64).to_sparse(1)
optimizer.step()
got = optimizer.state[p0]['exp_avg_sq'][0]
what, should, allowed = 'exp_avg_sq', F("0x1.c54647b44baaep-8"), F("0x1.c54647b44baafp-57")

got = float(got)
print(f"torch {torch.__version__}: {what} is {got!r}, but should be {should!r}, give or take {allowed:.3g}")
same = got == should or (got != got and should != should) or abs(got - should) <= allowed
sys.exit(0 if same else 1)
