"""Muon: step 1, parameter 0, momentum_buffer[0, 0] = -0x1.3600000000000p-2 (-0.302734375), but should be -0x1.6a00000000000p-2 (-0.353515625)

Case muon[weight_decay=0.0,momentum=0.5,nesterov=False,ns_coefficients=(1.875,-1.25,0.375),ns_steps=1,adjust_lr_fn=original]-lockstep-bfloat16-cpu-forloop-ordinary-n9-s1.

Made by optimbench. Exit status 1 while the difference is there, 0 once it is gone.
"""

import sys

import torch

F = float.fromhex  # numbers are written as hex floats
inf, nan = float("inf"), float("nan")

p0 = torch.nn.Parameter(torch.tensor([F("-0x1.c600000000000p-2"), F("-0x1.5400000000000p-1"), F("-0x1.0800000000000p+0"), F("0x1.f600000000000p+0"), F("0x1.a400000000000p-5")], dtype=torch.float64).reshape(5, 1).to(torch.bfloat16))
optimizer = torch.optim.Muon([{"params": [p0]}], weight_decay=0.0, momentum=0.5, nesterov=False, ns_coefficients=(1.875, -1.25, 0.375), ns_steps=1, adjust_lr_fn='original')

# step 1
p0.grad = torch.tensor([F("-0x1.6a00000000000p-1"), F("0x1.1c00000000000p+0"), F("0x1.ae00000000000p+0"), F("-0x1.bc00000000000p-2"), F("-0x1.a400000000000p-1")], dtype=torch.float64).reshape(5, 1).to(torch.bfloat16)
optimizer.step()
got = optimizer.state[p0]['momentum_buffer'][0, 0]
what, should, allowed = 'momentum_buffer', F("-0x1.6a00000000000p-2"), F("0x1.108fda800002dp-6")

got = float(got)
print(f"torch {torch.__version__}: {what} is {got!r}, but should be {should!r}, give or take {allowed:.3g}")
same = got == should or (got != got and should != should) or abs(got - should) <= allowed
sys.exit(0 if same else 1)
