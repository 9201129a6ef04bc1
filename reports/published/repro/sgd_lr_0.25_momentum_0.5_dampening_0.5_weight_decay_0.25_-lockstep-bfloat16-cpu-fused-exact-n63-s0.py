"""SGD: step 1, parameter 0, parameter[0] = -0x1.0000000000000p+1 (-2), but should be -0x1.7000000000000p+0 (-1.4375)

Case sgd[lr=0.25,momentum=0.5,dampening=0.5,weight_decay=0.25]-lockstep-bfloat16-cpu-fused-exact-n63-s0.

Made by optimbench. Exit status 1 while the difference is there, 0 once it is gone.
"""

import sys

import torch

F = float.fromhex  # numbers are written as hex floats
inf, nan = float("inf"), float("nan")

p0 = torch.nn.Parameter(torch.tensor([-2.0, 0.0, 2.75, 1.5, -0.75, 1.5, 3.25, 1.75, 3.25, -1.75, -3.0, 1.0, -1.25, 2.0, 3.75, -2.5, 0.0, 2.25, 1.0, -4.0, -0.75, -2.5, 3.5, -3.0, 4.0, 3.75, 0.5, 2.25, -1.5, -2.75, 0.25, 2.5, -0.75], dtype=torch.float64).to(torch.bfloat16))
optimizer = torch.optim.SGD([{"params": [p0], 'lr': 0.25, 'momentum': 0.5, 'dampening': 0.5, 'weight_decay': 0.25}], lr=0.25, momentum=0.5, dampening=0.5, weight_decay=0.25, fused=True)

# step 1
p0.grad = torch.tensor([-1.75, 1.25, -0.25, 1.25, -1.0, 1.5, 0.0, -0.75, -0.5, -0.25, 2.0, 1.5, -0.75, -1.5, -1.0, 0.5, 1.0, 0.0, 0.25, 1.5, -2.0, 1.5, -1.75, 0.75, 0.0, 1.25, -1.5, 1.75, 1.25, 0.75, -0.5, 0.5, 1.5], dtype=torch.float64).to(torch.bfloat16)
optimizer.step()
got = p0.detach()[0]
what, should, allowed = 'parameter', -1.4375, 0.0

got = float(got)
print(f"torch {torch.__version__}: {what} is {got!r}, but should be {should!r}, give or take {allowed:.3g}")
same = got == should or (got != got and should != should) or abs(got - should) <= allowed
sys.exit(0 if same else 1)
