"""SparseAdam: step 2, parameter 0, parameter[0] = 0x1.8800000000000p+8 (392), but should be 0x1.ce83125840b5dp-1 (0.903343747)

Case sparse_adam[betas=(0.0,0.0)]-lockstep-bfloat16-cpu-forloop-edge-n9-s6.

Made by optimbench. Exit status 1 while the difference is there, 0 once it is gone.
"""

import sys

import torch

F = float.fromhex  # numbers are written as hex floats
inf, nan = float("inf"), float("nan")

p0 = torch.nn.Parameter(torch.tensor([F("0x1.ce00000000000p-1")], dtype=torch.float64).to(torch.bfloat16))
optimizer = torch.optim.SparseAdam([{"params": [p0]}], betas=(0.0, 0.0))

# step 1
p0.grad = torch.tensor([F("0x1.6e00000000000p-4")], dtype=torch.float64).to(torch.bfloat16).to_sparse(1)
optimizer.step()

# step 2
p0.grad = torch.tensor([F("-0x1.f800000000000p-9")], dtype=torch.float64).to(torch.bfloat16).to_sparse(1)
optimizer.step()
got = p0.detach()[0]
what, should, allowed = 'parameter', F("0x1.ce83125840b5dp-1"), F("0x1.d3c9263e40944p-7")

got = float(got)
print(f"torch {torch.__version__}: {what} is {got!r}, but should be {should!r}, give or take {allowed:.3g}")
same = got == should or (got != got and should != should) or abs(got - should) <= allowed
sys.exit(0 if same else 1)
