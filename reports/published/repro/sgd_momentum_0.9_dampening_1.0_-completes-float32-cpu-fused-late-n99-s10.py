"""SGD: step: raised TypeError: expected Tensor as element 1 in argument 2, but got NoneType

Case sgd[momentum=0.9,dampening=1.0]-completes-float32-cpu-fused-late-n99-s10.

Made by optimbench. Exit status 1 while the difference is there, 0 once it is gone.
"""

import sys

import torch

F = float.fromhex  # numbers are written as hex floats
inf, nan = float("inf"), float("nan")

p0 = torch.nn.Parameter(torch.tensor([F("0x1.15c4460000000p-1")], dtype=torch.float64).to(torch.float32))
p1 = torch.nn.Parameter(torch.tensor([F("0x1.17e8a20000000p-2")], dtype=torch.float64).to(torch.float32))
optimizer = torch.optim.SGD([{"params": [p0, p1], 'momentum': 0.9, 'dampening': 1.0}], momentum=0.9, dampening=1.0, fused=True)

# step 1
p0.grad = torch.tensor([F("-0x1.28a3c60000000p-4")], dtype=torch.float64).to(torch.float32)
p1.grad = None
optimizer.step()

# step 2
p0.grad = torch.tensor([F("0x1.6a6b5c0000000p-2")], dtype=torch.float64).to(torch.float32)
p1.grad = torch.tensor([F("0x1.706e680000000p-3")], dtype=torch.float64).to(torch.float32)
optimizer.step()

# step 3
p0.grad = torch.tensor([0.0], dtype=torch.float64).to(torch.float32)
p1.grad = torch.tensor([F("-0x1.9582300000000p-2")], dtype=torch.float64).to(torch.float32)
optimizer.step()

# step 4
p0.grad = torch.tensor([0.0], dtype=torch.float64).to(torch.float32)
p1.grad = torch.tensor([F("0x1.b68ff20000000p-4")], dtype=torch.float64).to(torch.float32)
optimizer.step()

# step 5
p0.grad = torch.tensor([0.0], dtype=torch.float64).to(torch.float32)
p1.grad = torch.tensor([F("-0x1.3a69d00000000p-3")], dtype=torch.float64).to(torch.float32)
optimizer.step()

# step 6
p0.grad = torch.tensor([0.0], dtype=torch.float64).to(torch.float32)
p1.grad = torch.tensor([F("0x1.5385de0000000p-4")], dtype=torch.float64).to(torch.float32)
optimizer.step()

# step 7
p0.grad = torch.tensor([0.0], dtype=torch.float64).to(torch.float32)
p1.grad = torch.tensor([F("0x1.a765e00000000p-5")], dtype=torch.float64).to(torch.float32)
optimizer.step()

# step 8
p0.grad = torch.tensor([0.0], dtype=torch.float64).to(torch.float32)
p1.grad = torch.tensor([F("0x1.c27df00000000p-5")], dtype=torch.float64).to(torch.float32)
optimizer.step()

# step 9
p0.grad = torch.tensor([0.0], dtype=torch.float64).to(torch.float32)
p1.grad = torch.tensor([F("-0x1.2281200000000p-5")], dtype=torch.float64).to(torch.float32)
optimizer.step()

# step 10
p0.grad = torch.tensor([0.0], dtype=torch.float64).to(torch.float32)
p1.grad = torch.tensor([F("0x1.072abc0000000p-5")], dtype=torch.float64).to(torch.float32)
optimizer.step()

# step 11
p0.grad = torch.tensor([F("0x1.222d7c0000000p+0")], dtype=torch.float64).to(torch.float32)
p1.grad = torch.tensor([F("-0x1.3203020000000p-1")], dtype=torch.float64).to(torch.float32)
optimizer.step()

# step 12
p0.grad = torch.tensor([F("-0x1.0868d80000000p-1")], dtype=torch.float64).to(torch.float32)
p1.grad = torch.tensor([F("0x1.9774340000000p-3")], dtype=torch.float64).to(torch.float32)
optimizer.step()

# step 13
p0.grad = None
p1.grad = None
optimizer.step()

# step 14
p0.grad = None
p1.grad = None
optimizer.step()

# step 15
p0.grad = torch.tensor([F("-0x1.2b2b220000000p-6")], dtype=torch.float64).to(torch.float32)
p1.grad = torch.tensor([F("-0x1.b1c5340000000p-3")], dtype=torch.float64).to(torch.float32)
optimizer.step()

# step 16
p0.grad = torch.tensor([F("-0x1.4cef640000000p-7")], dtype=torch.float64).to(torch.float32)
p1.grad = torch.tensor([F("-0x1.59ce280000000p-3")], dtype=torch.float64).to(torch.float32)
optimizer.step()

# step 17
p0.grad = torch.tensor([F("0x1.719e940000000p-5")], dtype=torch.float64).to(torch.float32)
p1.grad = torch.tensor([F("0x1.9b4d360000000p-4")], dtype=torch.float64).to(torch.float32)
optimizer.step()

# step 18
p0.grad = torch.tensor([F("0x1.63c6d20000000p-7")], dtype=torch.float64).to(torch.float32)
p1.grad = torch.tensor([F("0x1.32814e0000000p-2")], dtype=torch.float64).to(torch.float32)
optimizer.step()

print("no exception was raised: the difference is gone")
sys.exit(0)
