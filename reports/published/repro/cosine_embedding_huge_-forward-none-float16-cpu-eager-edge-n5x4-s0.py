"""CosineEmbeddingLoss: value[0] = nan (nan), but should be 0x1.ba5ded6e35062p+0 (1.72799572)

Case cosine_embedding[huge]-forward-none-float16-cpu-eager-edge-n5x4-s0.

Made by lossbench. Exit status 1 while the difference is there, 0 once it is gone.
"""

import sys

import torch

F = float.fromhex  # numbers are written as hex floats
inf, nan = float("inf"), float("nan")

input1 = torch.tensor([F("-0x1.a500000000000p+1"), F("0x1.49c0000000000p-1"), F("-0x1.9280000000000p-5"), F("0x1.83c0000000000p+1")], dtype=torch.float64).reshape(1, 4).to(torch.float16)
input2 = torch.tensor([65504.0, F("-0x1.0bc0000000000p-2"), F("0x1.c940000000000p+0"), F("0x1.1dc0000000000p-1")], dtype=torch.float64).reshape(1, 4).to(torch.float16)
target = torch.tensor([1.0], dtype=torch.float64).to(torch.float16)
loss = torch.nn.CosineEmbeddingLoss(reduction='none')
value = loss(input1, input2, target)
got = value.detach()[0]
what, should, allowed = 'value', F("0x1.ba5ded6e35062p+0"), F("0x1.501a9de2e9892p-6")

got = float(got)
print(f"torch {torch.__version__}: {what} is {got!r}, but should be {should!r}, give or take {allowed:.3g}")
same = got == should or (got != got and should != should) or abs(got - should) <= allowed
sys.exit(0 if same else 1)
