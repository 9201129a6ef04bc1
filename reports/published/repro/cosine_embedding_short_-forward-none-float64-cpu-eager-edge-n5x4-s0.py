"""CosineEmbeddingLoss: value[0] = 0x1.37fa7f2ae4fa6p-1 (0.609333014), but should be 0x1.37fa7f2ae50d7p-1 (0.609333014)

Case cosine_embedding[short]-forward-none-float64-cpu-eager-edge-n5x4-s0.

Made by lossbench. Exit status 1 while the difference is there, 0 once it is gone.
"""

import sys

import torch

F = float.fromhex  # numbers are written as hex floats
inf, nan = float("inf"), float("nan")

input1 = torch.tensor([F("-0x1.8bce635901865p-2"), F("0x1.ac4176d2750c9p+1"), F("0x1.de60396e0cc74p-3"), F("0x1.bd366084a8da1p+1")], dtype=torch.float64).reshape(1, 4)
input2 = torch.tensor([F("0x1.665dff60ae848p+1"), F("0x1.0ad9b39f0a971p+1"), F("0x0.0000000000001p-1022"), F("0x1.8c6bc2f360ba9p+0")], dtype=torch.float64).reshape(1, 4)
target = torch.tensor([-1.0], dtype=torch.float64)
loss = torch.nn.CosineEmbeddingLoss(reduction='none')
value = loss(input1, input2, target)
got = value.detach()[0]
what, should, allowed = 'value', F("0x1.37fa7f2ae50d7p-1"), F("0x1.a41d9ae5e7c26p-48")

got = float(got)
print(f"torch {torch.__version__}: {what} is {got!r}, but should be {should!r}, give or take {allowed:.3g}")
same = got == should or (got != got and should != should) or abs(got - should) <= allowed
sys.exit(0 if same else 1)
