"""CosineEmbeddingLoss: value[0] = nan (nan), but should be 0x0.0p+0 (0)

Case cosine_embedding[huge,margin=0.5]-gradient-none-float32-cpu-eager-edge-n5x4-s0.

Made by lossbench. Exit status 1 while the difference is there, 0 once it is gone.
"""

import sys

import torch

F = float.fromhex  # numbers are written as hex floats
inf, nan = float("inf"), float("nan")

input1 = torch.tensor([F("0x1.471a480000000p+1"), F("-0x1.4ab0cc0000000p+0"), F("-0x1.2b74f20000000p+2"), F("-0x1.4e3f020000000p+1")], dtype=torch.float64).reshape(1, 4).to(torch.float32).requires_grad_()
input2 = torch.tensor([F("0x1.7363380000000p+1"), F("0x1.622e220000000p+0"), F("-0x1.0ebfd20000000p-5"), F("-0x1.fffffe0000000p+127")], dtype=torch.float64).reshape(1, 4).to(torch.float32).requires_grad_()
target = torch.tensor([-1.0], dtype=torch.float64).to(torch.float32)
loss = torch.nn.CosineEmbeddingLoss(margin=0.5, reduction='none')
value = loss(input1, input2, target)
value.backward(torch.tensor([1.0], dtype=torch.float64).to(torch.float32).to(value))
got = value.detach()[0]
what, should, allowed = 'value', 0.0, 0.0

got = float(got)
print(f"torch {torch.__version__}: {what} is {got!r}, but should be {should!r}, give or take {allowed:.3g}")
same = got == should or (got != got and should != should) or abs(got - should) <= allowed
sys.exit(0 if same else 1)
