"""CosineEmbeddingLoss: value = 0x1.b5cd3b4d06d98p+0 (1.71016284), but should be 0x1.b5cd3b4d078ccp+0 (1.71016284)

Case cosine_embedding[short]-forward-mean-float64-cpu-size_average=True,reduce=None-ordinary-n5x4-s0.

Made by lossbench. Exit status 1 while the difference is there, 0 once it is gone.
"""

import sys

import torch

F = float.fromhex  # numbers are written as hex floats
inf, nan = float("inf"), float("nan")

input1 = torch.tensor([F("0x1.dd2696af83fc7p-2"), F("0x1.6493842959844p-2"), F("0x1.07b6250e5176ap-1"), F("-0x1.73c00e2f589f3p-6")], dtype=torch.float64).reshape(1, 4)
input2 = torch.tensor([F("-0x1.30c1eb9983a9ap+1"), F("-0x1.3d26511237ca7p+0"), F("0x1.a8731ba1d27c2p-4"), F("-0x1.0eec60c648a00p-3")], dtype=torch.float64).reshape(1, 4)
target = torch.tensor([1.0], dtype=torch.float64)
loss = torch.nn.CosineEmbeddingLoss(size_average=True, reduce=None)
value = loss(input1, input2, target)
got = value.detach()
what, should, allowed = 'value', F("0x1.b5cd3b4d078ccp+0"), F("0x1.f95d847acb23ep-48")

got = float(got)
print(f"torch {torch.__version__}: {what} is {got!r}, but should be {should!r}, give or take {allowed:.3g}")
same = got == should or (got != got and should != should) or abs(got - should) <= allowed
sys.exit(0 if same else 1)
