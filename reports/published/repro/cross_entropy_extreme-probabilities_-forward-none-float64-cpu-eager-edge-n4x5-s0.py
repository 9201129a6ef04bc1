"""CrossEntropyLoss: value[0] = nan (nan), but should be 0x1.bbbc165230768p+1 (3.46667747)

Case cross_entropy[extreme-probabilities]-forward-none-float64-cpu-eager-edge-n4x5-s0.

Made by lossbench. Exit status 1 while the difference is there, 0 once it is gone.
"""

import sys

import torch

F = float.fromhex  # numbers are written as hex floats
inf, nan = float("inf"), float("nan")

input = torch.tensor([-inf, F("-0x1.f45fdfcc6db4bp+9"), F("-0x1.f2cdf93940156p+9"), F("-0x1.f384c6a1aa9e9p+9"), F("-0x1.f3f0468e93d27p+9")], dtype=torch.float64).reshape(1, 5)
target = torch.tensor([0.0, 1.0, 0.0, 0.0, 0.0], dtype=torch.float64).reshape(1, 5)
loss = torch.nn.CrossEntropyLoss(reduction='none')
value = loss(input, target)
got = value.detach()[0]
what, should, allowed = 'value', F("0x1.bbbc165230768p+1"), F("0x1.2736041da9900p-46")

got = float(got)
print(f"torch {torch.__version__}: {what} is {got!r}, but should be {should!r}, give or take {allowed:.3g}")
same = got == should or (got != got and should != should) or abs(got - should) <= allowed
sys.exit(0 if same else 1)
