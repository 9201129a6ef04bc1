"""CosineEmbeddingLoss: value = 0x1.9d355ae8e29c4p+0 (1.61409538), but should be 0x1.9d355ae8e30ffp+0 (1.61409538)

Case cosine_embedding[short]-forward-sum-float64-cpu-eager-ordinary-n5x4-s0.

Made by lossbench. Exit status 1 while the difference is there, 0 once it is gone.
"""

import sys

import torch

F = float.fromhex  # numbers are written as hex floats
inf, nan = float("inf"), float("nan")

input1 = torch.tensor([F("0x1.1ea656ea396b3p-4"), F("-0x1.f88e0272c2648p-2"), F("0x1.a4e5b9df43056p-2"), F("0x1.446be90cd9c81p-1")], dtype=torch.float64).reshape(1, 4)
input2 = torch.tensor([F("-0x1.31712ead1456ep-1"), F("0x1.3b6f50cb07f86p+0"), F("-0x1.4bb8e9183234ap+1"), F("0x1.10e08e4df7020p-3")], dtype=torch.float64).reshape(1, 4)
target = torch.tensor([1.0], dtype=torch.float64)
loss = torch.nn.CosineEmbeddingLoss(reduction='sum')
value = loss(input1, input2, target)
got = value.detach()
what, should, allowed = 'value', F("0x1.9d355ae8e30ffp+0"), F("0x1.b44d97d57f7f7p-48")

got = float(got)
print(f"torch {torch.__version__}: {what} is {got!r}, but should be {should!r}, give or take {allowed:.3g}")
same = got == should or (got != got and should != should) or abs(got - should) <= allowed
sys.exit(0 if same else 1)
