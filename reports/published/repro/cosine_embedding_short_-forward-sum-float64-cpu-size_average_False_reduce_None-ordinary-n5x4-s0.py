"""CosineEmbeddingLoss: value = 0x1.0cdf6817342acp-1 (0.525141957), but should be 0x1.0cdf68172de63p-1 (0.525141957)

Case cosine_embedding[short]-forward-sum-float64-cpu-size_average=False,reduce=None-ordinary-n5x4-s0.

Made by lossbench. Exit status 1 while the difference is there, 0 once it is gone.
"""

import sys

import torch

F = float.fromhex  # numbers are written as hex floats
inf, nan = float("inf"), float("nan")

input1 = torch.tensor([F("0x1.fc9c826753d91p-4"), F("0x1.45477e0daf93ep-3"), F("0x1.1e3e0a51a5d88p-5"), F("-0x1.a9e871d30c9ebp-3")], dtype=torch.float64).reshape(1, 4)
input2 = torch.tensor([F("0x1.3c7b02c64bf9cp-3"), F("0x1.8b29ddd5e4473p+0"), F("0x1.372c6a4dd66d7p+0"), F("0x1.442f5321ae77bp-3")], dtype=torch.float64).reshape(1, 4)
target = torch.tensor([1.0], dtype=torch.float64)
loss = torch.nn.CosineEmbeddingLoss(size_average=False, reduce=None)
value = loss(input1, input2, target)
got = value.detach()
what, should, allowed = 'value', F("0x1.0cdf68172de63p-1"), F("0x1.3de279a2b9a32p-48")

got = float(got)
print(f"torch {torch.__version__}: {what} is {got!r}, but should be {should!r}, give or take {allowed:.3g}")
same = got == should or (got != got and should != should) or abs(got - should) <= allowed
sys.exit(0 if same else 1)
