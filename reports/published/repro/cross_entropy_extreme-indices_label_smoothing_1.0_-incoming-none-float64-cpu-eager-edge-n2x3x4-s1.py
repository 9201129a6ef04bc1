"""CrossEntropyLoss: value[0, 1] = nan (nan), but should be inf (inf)

Case cross_entropy[extreme-indices,label_smoothing=1.0]-incoming-none-float64-cpu-eager-edge-n2x3x4-s1.

Made by lossbench. Exit status 1 while the difference is there, 0 once it is gone.
"""

import sys

import torch

F = float.fromhex  # numbers are written as hex floats
inf, nan = float("inf"), float("nan")

input = torch.tensor([F("0x1.71e3ece1aac2bp-2"), F("0x1.7d7840f8f74eap+26"), F("0x1.af73ba6a12a36p-1"), F("0x1.f416424f120d6p+9"), F("0x1.d4dbea12602b5p-4"), F("0x1.7d784043494b8p+26"), F("0x1.07db409969d3dp-1"), F("0x1.f3bea813f54ccp+9"), F("0x1.44241f1a281b7p+2"), -inf, F("0x1.61b9b9999137bp-2"), F("0x1.f410aa0750e0ap+9")], dtype=torch.float64).reshape(1, 3, 4).requires_grad_()
target = torch.tensor([1, 2, -100, -100], dtype=torch.int64).reshape(1, 4)
loss = torch.nn.CrossEntropyLoss(label_smoothing=1.0, reduction='none')
value = loss(input, target)
value.backward(torch.tensor([-0.5, -1.75, -0.5, 0.5], dtype=torch.float64).reshape(1, 4).to(value))
got = value.detach()[0, 1]
what, should, allowed = 'value', inf, 0.0

got = float(got)
print(f"torch {torch.__version__}: {what} is {got!r}, but should be {should!r}, give or take {allowed:.3g}")
same = got == should or (got != got and should != should) or abs(got - should) <= allowed
sys.exit(0 if same else 1)
