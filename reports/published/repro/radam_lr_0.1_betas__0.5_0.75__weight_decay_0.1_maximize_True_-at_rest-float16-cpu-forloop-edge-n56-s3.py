"""RAdam: step 6, parameter 0, parameter[1, 2] = nan (nan), but should be -0x1.8e40000000000p-3 (-0.194458008)

Case radam[lr=0.1,betas=(0.5,0.75),weight_decay=0.1,maximize=True]-at_rest-float16-cpu-forloop-edge-n56-s3.

Made by optimbench. Exit status 1 while the difference is there, 0 once it is gone.
"""

import sys

import torch

F = float.fromhex  # numbers are written as hex floats
inf, nan = float("inf"), float("nan")

p0 = torch.nn.Parameter(torch.tensor([F("-0x1.95c0000000000p-3"), F("0x1.6ec0000000000p-2"), F("-0x1.26c0000000000p+0"), F("0x1.6840000000000p-3"), F("-0x1.4bc0000000000p-1"), F("-0x1.8e40000000000p-3"), F("-0x1.7c00000000000p-4"), F("-0x1.57c0000000000p+0"), F("-0x1.3980000000000p+0")], dtype=torch.float64).reshape(3, 3).to(torch.float16))
optimizer = torch.optim.RAdam([{"params": [p0], 'lr': 0.001, 'betas': (0.9, 0.999), 'weight_decay': 0.0, 'maximize': False}], lr=0.1, betas=(0.5, 0.75), weight_decay=0.1, maximize=True, foreach=False)

# step 1
p0.grad = torch.tensor([F("-0x1.0440000000000p+0"), F("-0x1.5000000000000p-8"), 0.0, F("0x1.0000000000000p-14"), F("0x1.0000000000000p-14"), 0.0, F("0x1.3540000000000p-2"), F("0x1.ffc0000000000p+3"), 0.0], dtype=torch.float64).reshape(3, 3).to(torch.float16)
optimizer.step()

# step 2
p0.grad = torch.tensor([F("-0x1.e540000000000p-1"), F("-0x1.9c00000000000p-1"), F("0x1.7500000000000p-3"), -0.0, F("0x1.0000000000000p-7"), 0.0, -0.0, F("0x1.0540000000000p-4"), 0.0], dtype=torch.float64).reshape(3, 3).to(torch.float16)
optimizer.step()

# step 3
p0.grad = torch.tensor([-0.0, 0.0, F("-0x1.9800000000000p-3"), F("0x1.8780000000000p-5"), -0.0, 0.0, F("0x1.f740000000000p-5"), 0.0, F("-0x1.ffc0000000000p+3")], dtype=torch.float64).reshape(3, 3).to(torch.float16)
optimizer.step()

# step 4
p0.grad = torch.tensor([F("0x1.0000000000000p-14"), F("0x1.8100000000000p-4"), F("0x1.ec40000000000p-5"), 1.0, F("0x1.0000000000000p-7"), 0.0, F("0x1.0000000000000p-24"), F("-0x1.0200000000000p-3"), -0.0], dtype=torch.float64).reshape(3, 3).to(torch.float16)
optimizer.step()

# step 5
p0.grad = torch.tensor([F("0x1.1f80000000000p-2"), F("0x1.6740000000000p-9"), 1.0, F("0x1.ffc0000000000p+3"), F("0x1.0000000000000p-14"), 0.0, F("0x1.4740000000000p-3"), F("-0x1.0ec0000000000p-3"), F("0x1.a600000000000p-2")], dtype=torch.float64).reshape(3, 3).to(torch.float16)
optimizer.step()

# step 6
p0.grad = torch.tensor([F("-0x1.e300000000000p-6"), F("-0x1.a7c0000000000p-3"), F("0x1.a380000000000p-5"), F("0x1.ffc0000000000p+3"), F("0x1.fc80000000000p-4"), 0.0, F("0x1.3f80000000000p-5"), F("-0x1.3300000000000p-2"), F("0x1.ffc0000000000p+3")], dtype=torch.float64).reshape(3, 3).to(torch.float16)
optimizer.step()
got = p0.detach()[1, 2]
what, should, allowed = 'parameter', F("-0x1.8e40000000000p-3"), F("0x1.8e40000000000p-12")

got = float(got)
print(f"torch {torch.__version__}: {what} is {got!r}, but should be {should!r}, give or take {allowed:.3g}")
same = got == should or (got != got and should != should) or abs(got - should) <= allowed
sys.exit(0 if same else 1)
