"""CosineEmbeddingLoss: value = 0x1.24505b14d0b04p-1 (0.570925566), but should be 0x1.24505b14d0a16p-1 (0.570925566)

Case cosine_embedding[short]-forward-mean-float64-cpu-eager-ordinary-n5x4-s0.

Made by lossbench. Exit status 1 while the difference is there, 0 once it is gone.
"""

import sys

import torch

F = float.fromhex  # numbers are written as hex floats
inf, nan = float("inf"), float("nan")

input1 = torch.tensor([F("0x1.e225d960449f4p-1"), F("0x1.4c906b2653ecfp-1"), F("0x1.9607530699607p+1"), F("0x1.b8f52b1882e2dp+0")], dtype=torch.float64).reshape(1, 4)
input2 = torch.tensor([F("-0x1.6dd760ef2eba5p-2"), F("0x1.898a5b225531bp-2"), F("-0x1.67ea4d186bc5cp-4"), F("0x1.123c55586a624p+2")], dtype=torch.float64).reshape(1, 4)
target = torch.tensor([1.0], dtype=torch.float64)
loss = torch.nn.CosineEmbeddingLoss(reduction='mean')
value = loss(input1, input2, target)
got = value.detach()
what, should, allowed = 'value', F("0x1.24505b14d0a16p-1"), F("0x1.3c106189b48a2p-48")

got = float(got)
print(f"torch {torch.__version__}: {what} is {got!r}, but should be {should!r}, give or take {allowed:.3g}")
same = got == should or (got != got and should != should) or abs(got - should) <= allowed
sys.exit(0 if same else 1)
