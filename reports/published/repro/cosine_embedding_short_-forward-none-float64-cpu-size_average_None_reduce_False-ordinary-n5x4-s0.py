"""CosineEmbeddingLoss: value[0] = 0x1.58ba991ab5f46p+0 (1.34659726), but should be 0x1.58ba991ab6f11p+0 (1.34659726)

Case cosine_embedding[short]-forward-none-float64-cpu-size_average=None,reduce=False-ordinary-n5x4-s0.

Made by lossbench. Exit status 1 while the difference is there, 0 once it is gone.
"""

import sys

import torch

F = float.fromhex  # numbers are written as hex floats
inf, nan = float("inf"), float("nan")

input1 = torch.tensor([F("-0x1.ca0770470deb3p-2"), F("0x1.09a83c26f77adp-3"), F("0x1.85f7ed57e9af4p-1"), F("0x1.6f67f7d2962bep-1")], dtype=torch.float64).reshape(1, 4)
input2 = torch.tensor([F("-0x1.95cd724be8955p-3"), F("0x1.0883f07310d42p-2"), F("-0x1.5b3113ece564ap-2"), F("-0x1.2d373cc171f82p-4")], dtype=torch.float64).reshape(1, 4)
target = torch.tensor([1.0], dtype=torch.float64)
loss = torch.nn.CosineEmbeddingLoss(size_average=None, reduce=False)
value = loss(input1, input2, target)
got = value.detach()[0]
what, should, allowed = 'value', F("0x1.58ba991ab6f11p+0"), F("0x1.b59a4606fbcabp-48")

got = float(got)
print(f"torch {torch.__version__}: {what} is {got!r}, but should be {should!r}, give or take {allowed:.3g}")
same = got == should or (got != got and should != should) or abs(got - should) <= allowed
sys.exit(0 if same else 1)
