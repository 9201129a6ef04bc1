"""SGD: run: step 1: the gradient of parameter 0 was changed in place

Case sgd[momentum=0.9,nesterov=True]-gradient_kept-float64-cpu-foreach-ordinary-n56-s8.

Made by optimbench. Exit status 1 while the difference is there, 0 once it is gone.
"""

import sys

import torch

F = float.fromhex  # numbers are written as hex floats
inf, nan = float("inf"), float("nan")

p0 = torch.nn.Parameter(torch.tensor([F("-0x1.81a0799cd9a05p-1")], dtype=torch.float64))
optimizer = torch.optim.SGD([{"params": [p0]}], momentum=0.9, nesterov=True, foreach=True)

# step 1
p0.grad = torch.tensor([F("-0x1.36f6794599841p-4")], dtype=torch.float64)
before0 = p0.grad.clone()
optimizer.step()

print('run: step 1: the gradient of parameter 0 was changed in place')
sys.exit(0 if torch.equal(p0.grad, before0) else 1)
