"""NAdam: step 1, parameter 0, parameter[1, 0] = nan (nan), but should be -0x1.1f40000000000p+1 (-2.24414062)

Case nadam[lr=0.1,betas=(0.5,0.75),weight_decay=0.1,decoupled_weight_decay=True]-at_rest-float16-cpu-forloop-edge-n56-s3.

Made by optimbench. Exit status 1 while the difference is there, 0 once it is gone.
"""

import sys

import torch

F = float.fromhex  # numbers are written as hex floats
inf, nan = float("inf"), float("nan")

p0 = torch.nn.Parameter(torch.tensor([F("-0x1.49c0000000000p+0"), F("-0x1.6380000000000p-1"), F("-0x1.67c0000000000p-2"), F("-0x1.1f40000000000p+1"), F("0x1.04c0000000000p-3"), F("0x1.3e40000000000p-3"), F("0x1.6900000000000p+0"), F("0x1.d900000000000p-1"), F("-0x1.8a80000000000p-1")], dtype=torch.float64).reshape(3, 3).to(torch.float16))
optimizer = torch.optim.NAdam([{"params": [p0], 'lr': 0.002, 'betas': (0.9, 0.999), 'weight_decay': 0.0, 'decoupled_weight_decay': False}], lr=0.1, betas=(0.5, 0.75), weight_decay=0.1, decoupled_weight_decay=True, foreach=False)

# step 1
p0.grad = torch.tensor([F("0x1.9a00000000000p-2"), F("0x1.ffc0000000000p+3"), F("0x1.0000000000000p-24"), -0.0, F("-0x1.5080000000000p+1"), 0.0, F("-0x1.ffc0000000000p+3"), F("0x1.5440000000000p-3"), 1.0], dtype=torch.float64).reshape(3, 3).to(torch.float16)
optimizer.step()
got = p0.detach()[1, 0]
what, should, allowed = 'parameter', F("-0x1.1f40000000000p+1"), F("0x1.1f40000000000p-8")

got = float(got)
print(f"torch {torch.__version__}: {what} is {got!r}, but should be {should!r}, give or take {allowed:.3g}")
same = got == should or (got != got and should != should) or abs(got - should) <= allowed
sys.exit(0 if same else 1)
