"""CrossEntropyLoss: value[0] = nan (nan), but should be 0x1.f6b1c42322f7dp+1 (3.92729999)

Case cross_entropy[extreme-probabilities]-gradient-none-float32-cpu-eager-edge-n4x5-s0.

Made by lossbench. Exit status 1 while the difference is there, 0 once it is gone.
"""

import sys

import torch

F = float.fromhex  # numbers are written as hex floats
inf, nan = float("inf"), float("nan")

input = torch.tensor([F("-0x1.f42d7e0000000p+9"), F("-0x1.f149560000000p+9"), -inf, F("-0x1.f3f60c0000000p+9"), F("-0x1.f32d8e0000000p+9")], dtype=torch.float64).reshape(1, 5).to(torch.float32).requires_grad_()
target = torch.tensor([F("0x1.45dadc0000000p-5"), F("0x1.1098c00000000p-7"), 0.0, F("0x1.59f31a0000000p-5"), F("0x1.d1c0be0000000p-1")], dtype=torch.float64).reshape(1, 5).to(torch.float32).requires_grad_()
loss = torch.nn.CrossEntropyLoss(reduction='none')
value = loss(input, target)
value.backward(torch.tensor([1.0], dtype=torch.float64).to(torch.float32).to(value))
got = value.detach()[0]
what, should, allowed = 'value', F("0x1.f6b1c42322f7dp+1"), F("0x1.3cd54c269712ep-17")

got = float(got)
print(f"torch {torch.__version__}: {what} is {got!r}, but should be {should!r}, give or take {allowed:.3g}")
same = got == should or (got != got and should != should) or abs(got - should) <= allowed
sys.exit(0 if same else 1)
