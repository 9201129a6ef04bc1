"""CrossEntropyLoss: value[0, 3] = nan (nan), but should be -0x0.0p+0 (-0)

Case cross_entropy[extreme-indices,weight=per_class,label_smoothing=0.1]-gradient-none-float64-cpu-eager-edge-n2x3x4-s1.

Made by lossbench. Exit status 1 while the difference is there, 0 once it is gone.
"""

import sys

import torch

F = float.fromhex  # numbers are written as hex floats
inf, nan = float("inf"), float("nan")

input = torch.tensor([F("0x1.7d783ffeb4828p+26"), F("0x1.1bcbdeff157c8p-1"), F("0x1.7d783fe95c904p+26"), -inf, F("0x1.7d78400249611p+26"), F("0x1.d0cfd6598276cp-1"), F("0x1.7d784007cd751p+26"), -inf, F("0x1.7d78402654798p+26"), F("-0x1.0271608b9d3ccp-1"), F("0x1.7d783fdc69064p+26"), F("-0x1.f470e3844dc64p+9")], dtype=torch.float64).reshape(1, 3, 4).requires_grad_()
target = torch.tensor([2, -100, -100, 2], dtype=torch.int64).reshape(1, 4)
loss = torch.nn.CrossEntropyLoss(weight=torch.tensor([0.0, 0.0, 1.25], dtype=torch.float64), label_smoothing=0.1, reduction='none')
value = loss(input, target)
value.backward(torch.tensor([1.0, 1.0, 1.0, 1.0], dtype=torch.float64).reshape(1, 4).to(value))
got = value.detach()[0, 3]
what, should, allowed = 'value', -0.0, F("0x1.c00000000000cp-49")

got = float(got)
print(f"torch {torch.__version__}: {what} is {got!r}, but should be {should!r}, give or take {allowed:.3g}")
same = got == should or (got != got and should != should) or abs(got - should) <= allowed
sys.exit(0 if same else 1)
