"""Muon: step: raised ZeroDivisionError: division by zero

Case muon-lockstep-float32-cpu-forloop-empty-n12-s0.

Made by optimbench. Exit status 1 while the difference is there, 0 once it is gone.
"""

import sys

import torch

F = float.fromhex  # numbers are written as hex floats
inf, nan = float("inf"), float("nan")

p0 = torch.nn.Parameter(torch.tensor([], dtype=torch.float64).reshape(2, 0).to(torch.float32))
optimizer = torch.optim.Muon([{"params": [p0]}])

# step 1
p0.grad = torch.tensor([], dtype=torch.float64).reshape(2, 0).to(torch.float32)
optimizer.step()

print("no exception was raised: the difference is gone")
sys.exit(0)
