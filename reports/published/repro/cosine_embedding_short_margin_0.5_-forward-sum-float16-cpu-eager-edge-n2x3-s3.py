"""CosineEmbeddingLoss: value = nan (nan), but should be 0x0.0p+0 (0)

Case cosine_embedding[short,margin=0.5]-forward-sum-float16-cpu-eager-edge-n2x3-s3.

Made by lossbench. Exit status 1 while the difference is there, 0 once it is gone.
"""

import sys

import torch

F = float.fromhex  # numbers are written as hex floats
inf, nan = float("inf"), float("nan")

input1 = torch.tensor([F("-0x1.2f00000000000p+0"), F("-0x1.0e00000000000p-2"), F("-0x1.7940000000000p+2")], dtype=torch.float64).reshape(1, 3).to(torch.float16)
input2 = torch.tensor([0.0, 0.0, 0.0], dtype=torch.float64).reshape(1, 3).to(torch.float16)
target = torch.tensor([-1.0], dtype=torch.float64).to(torch.float16)
loss = torch.nn.CosineEmbeddingLoss(margin=0.5, reduction='sum')
value = loss(input1, input2, target)
got = value.detach()
what, should, allowed = 'value', 0.0, 0.0

got = float(got)
print(f"torch {torch.__version__}: {what} is {got!r}, but should be {should!r}, give or take {allowed:.3g}")
same = got == should or (got != got and should != should) or abs(got - should) <= allowed
sys.exit(0 if same else 1)
