"""SGD: run: step 1: the gradient of parameter 0 was changed in place

Case sgd[momentum=0.9,nesterov=True]-gradient_kept-float32-cpu-foreach-edge-n56-s8.

Made by optimbench. Exit status 1 while the difference is there, 0 once it is gone.
"""

import sys

import torch

F = float.fromhex  # numbers are written as hex floats
inf, nan = float("inf"), float("nan")

p0 = torch.nn.Parameter(torch.tensor([F("0x1.05d1240000000p-1")], dtype=torch.float64).to(torch.float32))
optimizer = torch.optim.SGD([{"params": [p0]}], momentum=0.9, nesterov=True, foreach=True)

# step 1
p0.grad = torch.tensor([F("0x1.288be40000000p-4")], dtype=torch.float64).to(torch.float32)
before0 = p0.grad.clone()
optimizer.step()

print('run: step 1: the gradient of parameter 0 was changed in place')
sys.exit(0 if torch.equal(p0.grad, before0) else 1)
