"""ASGD: step 1, parameter 0, eta: is held in float32, but needs float64 at least

Case asgd-state_format-float64-cpu-forloop-ordinary-n63-s0.

Made by optimbench. Exit status 1 while the difference is there, 0 once it is gone.
"""

import sys

import torch

F = float.fromhex  # numbers are written as hex floats
inf, nan = float("inf"), float("nan")

p0 = torch.nn.Parameter(torch.tensor([F("0x1.9d2d6b0c316d9p-5")], dtype=torch.float64))
optimizer = torch.optim.ASGD([{"params": [p0], 'lambd': 0.1, 'alpha': 0.5, 't0': 3.0, 'weight_decay': 0.1, 'maximize': True}], foreach=False)

# step 1
p0.grad = torch.tensor([F("0x1.c7579983bf1adp-8")], dtype=torch.float64)
optimizer.step()

held = optimizer.state[p0]['eta'].dtype
print('step 1, parameter 0, eta: is held in float32, but needs float64 at least', held)
sys.exit(0 if torch.finfo(held).eps <= 2.220446049250313e-16 else 1)
