"""CrossEntropyLoss: value[0] = inf (inf), but should be 0x1.f581fb8f5c290p+15 (64192.9913)

Case cross_entropy[extreme-indices,ignore_index=1,label_smoothing=0.1]-gradient-none-float16-cpu-eager-edge-n4x5-s0.

Made by lossbench. Exit status 1 while the difference is there, 0 once it is gone.
"""

import sys

import torch

F = float.fromhex  # numbers are written as hex floats
inf, nan = float("inf"), float("nan")

input = torch.tensor([65504.0, F("-0x1.d300000000000p+0"), F("-0x1.0a80000000000p+1"), F("0x1.1ec0000000000p+0"), F("-0x1.2f80000000000p+0")], dtype=torch.float64).reshape(1, 5).to(torch.float16).requires_grad_()
target = torch.tensor([3], dtype=torch.int64)
loss = torch.nn.CrossEntropyLoss(ignore_index=1, label_smoothing=0.1, reduction='none')
value = loss(input, target)
value.backward(torch.tensor([1.0], dtype=torch.float64).to(torch.float16).to(value))
got = value.detach()[0]
what, should, allowed = 'value', F("0x1.f581fb8f5c290p+15"), F("0x1.39c8f039efff5p+9")

got = float(got)
print(f"torch {torch.__version__}: {what} is {got!r}, but should be {should!r}, give or take {allowed:.3g}")
same = got == should or (got != got and should != should) or abs(got - should) <= allowed
sys.exit(0 if same else 1)
