"""CosineEmbeddingLoss: value = 0x1.0000000000000p+0 (1), but should be 0x1.73421efb58c68p-1 (0.725113838)

Case cosine_embedding[huge]-forward-sum-float32-cpu-eager-edge-n2x3-s3.

Made by lossbench. Exit status 1 while the difference is there, 0 once it is gone.
"""

import sys

import torch

F = float.fromhex  # numbers are written as hex floats
inf, nan = float("inf"), float("nan")

input1 = torch.tensor([F("-0x1.01f68e0000000p+0"), F("-0x1.15d16e0000000p+1"), F("-0x1.5e48980000000p-1")], dtype=torch.float64).reshape(1, 3).to(torch.float32)
input2 = torch.tensor([F("0x1.1017600000000p+2"), F("0x1.52a8500000000p-1"), F("-0x1.fffffe0000000p+127")], dtype=torch.float64).reshape(1, 3).to(torch.float32)
target = torch.tensor([1.0], dtype=torch.float64).to(torch.float32)
loss = torch.nn.CosineEmbeddingLoss(reduction='sum')
value = loss(input1, input2, target)
got = value.detach()
what, should, allowed = 'value', F("0x1.73421efb58c68p-1"), F("0x1.24b497463db58p-20")

got = float(got)
print(f"torch {torch.__version__}: {what} is {got!r}, but should be {should!r}, give or take {allowed:.3g}")
same = got == should or (got != got and should != should) or abs(got - should) <= allowed
sys.exit(0 if same else 1)
