"""SparseAdam: step 2, parameter 0, exp_avg_sq[0] = 0x1.062f800000000p-6 (0.0160025358), but should be 0x1.062f5f2b84640p-6 (0.0160025052)

Case sparse_adam[betas=(0.0,0.0)]-lockstep-float32-cpu-forloop-late-n9-s6.

Made by optimbench. Exit status 1 while the difference is there, 0 once it is gone.
"""

import sys

import torch

F = float.fromhex  # numbers are written as hex floats
inf, nan = float("inf"), float("nan")

p0 = torch.nn.Parameter(torch.tensor([F("-0x1.0d2d460000000p+0")], dtype=torch.float64).to(torch.float32))
optimizer = torch.optim.SparseAdam([{"params": [p0]}], betas=(0.0, 0.0))

# step 1
p0.grad = torch.tensor([F("0x1.044da40000000p+0")], dtype=torch.float64).to(torch.float32).to_sparse(1)
optimizer.step()

# step 2
p0.grad = torch.tensor([F("-0x1.0312f60000000p-3")], dtype=torch.float64).to(torch.float32).to_sparse(1)
optimizer.step()
got = optimizer.state[p0]['exp_avg_sq'][0]
what, should, allowed = 'exp_avg_sq', F("0x1.062f5f2b84640p-6"), F("0x1.062f60b6d7d29p-26")

got = float(got)
print(f"torch {torch.__version__}: {what} is {got!r}, but should be {should!r}, give or take {allowed:.3g}")
same = got == should or (got != got and should != should) or abs(got - should) <= allowed
sys.exit(0 if same else 1)
