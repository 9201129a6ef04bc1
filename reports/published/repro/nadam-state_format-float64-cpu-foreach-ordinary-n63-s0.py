"""NAdam: step 1, parameter 0, mu_product: is held in float32, but needs float64 at least

Case nadam-state_format-float64-cpu-foreach-ordinary-n63-s0.

Made by optimbench. Exit status 1 while the difference is there, 0 once it is gone.
"""

import sys

import torch

F = float.fromhex  # numbers are written as hex floats
inf, nan = float("inf"), float("nan")

p0 = torch.nn.Parameter(torch.tensor([F("0x1.8cf7d61fc9633p-4")], dtype=torch.float64))
optimizer = torch.optim.NAdam([{"params": [p0], 'betas': (0.5, 0.75), 'eps': 0.01, 'weight_decay': 0.1, 'momentum_decay': 0.5, 'decoupled_weight_decay': True, 'maximize': True}], foreach=True)

# step 1
p0.grad = torch.tensor([F("-0x1.96dc38b9222ebp-4")], dtype=torch.float64)
optimizer.step()

held = optimizer.state[p0]['mu_product'].dtype
print('step 1, parameter 0, mu_product: is held in float32, but needs float64 at least', held)
sys.exit(0 if torch.finfo(held).eps <= 2.220446049250313e-16 else 1)
