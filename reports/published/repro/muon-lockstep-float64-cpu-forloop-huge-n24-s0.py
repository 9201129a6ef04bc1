"""Muon: step 1, parameter 0, parameter[0, 0] = nan (nan), but should be -0x1.c60fc7cd1dc3fp-1 (-0.886839145)

Case muon-lockstep-float64-cpu-forloop-huge-n24-s0.

Made by optimbench. Exit status 1 while the difference is there, 0 once it is gone.
"""

import sys

import torch

F = float.fromhex  # numbers are written as hex floats
inf, nan = float("inf"), float("nan")

p0 = torch.nn.Parameter(torch.tensor([F("-0x1.c6584d447474ep-1"), F("-0x1.104ee248a5390p+0"), F("-0x1.2e12a7b4ef2f9p+0"), F("-0x1.2a5dcaa574761p-4")], dtype=torch.float64).reshape(2, 2))
optimizer = torch.optim.Muon([{"params": [p0], 'weight_decay': 0.0, 'momentum': 0.5, 'nesterov': False, 'ns_coefficients': (1.875, -1.25, 0.375), 'ns_steps': 1, 'adjust_lr_fn': 'original'}])

# step 1
p0.grad = torch.tensor([F("-0x1.fffffffffffffp+507"), F("-0x1.fffffffffffffp+507"), F("-0x1.fffffffffffffp+507"), F("0x1.818a603691271p-2")], dtype=torch.float64).reshape(2, 2)
optimizer.step()
got = p0.detach()[0, 0]
what, should, allowed = 'parameter', F("-0x1.c60fc7cd1dc3fp-1"), F("0x1.b9c0498870737p-16")

got = float(got)
print(f"torch {torch.__version__}: {what} is {got!r}, but should be {should!r}, give or take {allowed:.3g}")
same = got == should or (got != got and should != should) or abs(got - should) <= allowed
sys.exit(0 if same else 1)
