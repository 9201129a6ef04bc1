"""SGD: step: raised TypeError: expected Tensor as element 1 in argument 2, but got NoneType

Case sgd[momentum=1.0]-completes-float32-cpu-fused-late-n9-s6.

Made by optimbench. Exit status 1 while the difference is there, 0 once it is gone.
"""

import sys

import torch

F = float.fromhex  # numbers are written as hex floats
inf, nan = float("inf"), float("nan")

p0 = torch.nn.Parameter(torch.tensor([F("-0x1.3830840000000p-2")], dtype=torch.float64).to(torch.float32))
p1 = torch.nn.Parameter(torch.tensor([F("0x1.0a85140000000p+0")], dtype=torch.float64).to(torch.float32))
optimizer = torch.optim.SGD([{"params": [p0, p1], 'momentum': 1.0}], momentum=1.0, fused=True)

# step 1
p0.grad = torch.tensor([F("-0x1.8b5fa80000000p-2")], dtype=torch.float64).to(torch.float32)
p1.grad = None
optimizer.step()

# step 2
p0.grad = torch.tensor([F("0x1.e1ebcc0000000p-2")], dtype=torch.float64).to(torch.float32)
p1.grad = torch.tensor([F("-0x1.6110300000000p-1")], dtype=torch.float64).to(torch.float32)
optimizer.step()

# step 3
p0.grad = torch.tensor([F("-0x1.036d6e0000000p-3")], dtype=torch.float64).to(torch.float32)
p1.grad = torch.tensor([F("-0x1.d027660000000p-3")], dtype=torch.float64).to(torch.float32)
optimizer.step()

# step 4
p0.grad = torch.tensor([F("-0x1.741b400000000p-3")], dtype=torch.float64).to(torch.float32)
p1.grad = torch.tensor([F("-0x1.3dba420000000p-6")], dtype=torch.float64).to(torch.float32)
optimizer.step()

# step 5
p0.grad = torch.tensor([F("-0x1.33bd6c0000000p-11")], dtype=torch.float64).to(torch.float32)
p1.grad = torch.tensor([F("0x1.6bd36c0000000p-3")], dtype=torch.float64).to(torch.float32)
optimizer.step()

# step 6
p0.grad = torch.tensor([F("0x1.3a40c20000000p-3")], dtype=torch.float64).to(torch.float32)
p1.grad = torch.tensor([F("0x1.cc88320000000p-5")], dtype=torch.float64).to(torch.float32)
optimizer.step()

# step 7
p0.grad = torch.tensor([F("0x1.949b600000000p-4")], dtype=torch.float64).to(torch.float32)
p1.grad = torch.tensor([F("0x1.13437a0000000p-6")], dtype=torch.float64).to(torch.float32)
optimizer.step()

# step 8
p0.grad = torch.tensor([F("-0x1.a79bfe0000000p-5")], dtype=torch.float64).to(torch.float32)
p1.grad = torch.tensor([F("-0x1.eb32ee0000000p-5")], dtype=torch.float64).to(torch.float32)
optimizer.step()

# step 9
p0.grad = torch.tensor([F("-0x1.1da1ac0000000p-5")], dtype=torch.float64).to(torch.float32)
p1.grad = torch.tensor([F("0x1.b5c0080000000p-12")], dtype=torch.float64).to(torch.float32)
optimizer.step()

# step 10
p0.grad = torch.tensor([F("0x1.ed1c100000000p-8")], dtype=torch.float64).to(torch.float32)
p1.grad = torch.tensor([F("-0x1.27478e0000000p-8")], dtype=torch.float64).to(torch.float32)
optimizer.step()

# step 11
p0.grad = torch.tensor([F("0x1.323c3e0000000p+0")], dtype=torch.float64).to(torch.float32)
p1.grad = torch.tensor([F("0x1.c2e9e20000000p-1")], dtype=torch.float64).to(torch.float32)
optimizer.step()

# step 12
p0.grad = torch.tensor([F("0x1.d414a20000000p-2")], dtype=torch.float64).to(torch.float32)
p1.grad = torch.tensor([F("-0x1.7c6f1e0000000p+0")], dtype=torch.float64).to(torch.float32)
optimizer.step()

# step 13
p0.grad = torch.tensor([F("0x1.72c28a0000000p-4")], dtype=torch.float64).to(torch.float32)
p1.grad = torch.tensor([F("0x1.1690d80000000p-1")], dtype=torch.float64).to(torch.float32)
optimizer.step()

# step 14
p0.grad = torch.tensor([F("-0x1.c2e2600000000p-2")], dtype=torch.float64).to(torch.float32)
p1.grad = torch.tensor([F("-0x1.789fea0000000p-4")], dtype=torch.float64).to(torch.float32)
optimizer.step()

# step 15
p0.grad = torch.tensor([F("0x1.933a920000000p-2")], dtype=torch.float64).to(torch.float32)
p1.grad = torch.tensor([F("0x1.a238ca0000000p-4")], dtype=torch.float64).to(torch.float32)
optimizer.step()

# step 16
p0.grad = torch.tensor([F("-0x1.a3403c0000000p-2")], dtype=torch.float64).to(torch.float32)
p1.grad = torch.tensor([F("0x1.4b214c0000000p-6")], dtype=torch.float64).to(torch.float32)
optimizer.step()

# step 17
p0.grad = torch.tensor([F("0x1.8a1b600000000p-4")], dtype=torch.float64).to(torch.float32)
p1.grad = torch.tensor([F("-0x1.64b3500000000p-3")], dtype=torch.float64).to(torch.float32)
optimizer.step()

# step 18
p0.grad = torch.tensor([F("-0x1.4b6ad60000000p-3")], dtype=torch.float64).to(torch.float32)
p1.grad = torch.tensor([F("-0x1.00bc440000000p-6")], dtype=torch.float64).to(torch.float32)
optimizer.step()

print("no exception was raised: the difference is gone")
sys.exit(0)
