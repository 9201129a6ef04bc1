"""CosineEmbeddingLoss: value = nan (nan), but should be 0x0.0p+0 (0)

Case cosine_embedding[huge,margin=1.0]-incoming-mean-float32-cpu-eager-edge-n2x3-s3.

Made by lossbench. Exit status 1 while the difference is there, 0 once it is gone.
"""

import sys

import torch

F = float.fromhex  # numbers are written as hex floats
inf, nan = float("inf"), float("nan")

input1 = torch.tensor([F("-0x1.458e000000000p+1"), F("0x1.e8cd580000000p+1"), F("0x1.fffffe0000000p+127")], dtype=torch.float64).reshape(1, 3).to(torch.float32).requires_grad_()
input2 = torch.tensor([F("-0x1.0000000000000p-126"), F("0x1.e8cd580000000p+1"), F("0x1.fffffe0000000p+127")], dtype=torch.float64).reshape(1, 3).to(torch.float32).requires_grad_()
target = torch.tensor([-1.0], dtype=torch.float64).to(torch.float32)
loss = torch.nn.CosineEmbeddingLoss(margin=1.0, reduction='mean')
value = loss(input1, input2, target)
value.backward(torch.tensor(-0.5, dtype=torch.float64).to(torch.float32).to(value))
got = value.detach()
what, should, allowed = 'value', 0.0, F("0x1.c0001340009a4p-19")

got = float(got)
print(f"torch {torch.__version__}: {what} is {got!r}, but should be {should!r}, give or take {allowed:.3g}")
same = got == should or (got != got and should != should) or abs(got - should) <= allowed
sys.exit(0 if same else 1)
