"""Adafactor: step: raised ZeroDivisionError: float division by zero

Case adafactor-lockstep-float32-cpu-foreach-empty-n12-s0.

Made by optimbench. Exit status 1 while the difference is there, 0 once it is gone.
"""

import sys

import torch

F = float.fromhex  # numbers are written as hex floats
inf, nan = float("inf"), float("nan")

p0 = torch.nn.Parameter(torch.tensor([], dtype=torch.float64).reshape(0, 3).to(torch.float32))
optimizer = torch.optim.Adafactor([{"params": [p0], 'beta2_decay': -0.3, 'eps': (0.125, 2.0), 'd': 2.0, 'weight_decay': 0.1, 'maximize': True}], foreach=True)

# step 1
p0.grad = torch.tensor([], dtype=torch.float64).reshape(0, 3).to(torch.float32)
optimizer.step()

print("no exception was raised: the difference is gone")
sys.exit(0)
