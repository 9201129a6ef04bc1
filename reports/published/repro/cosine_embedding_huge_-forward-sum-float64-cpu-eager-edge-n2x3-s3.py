"""CosineEmbeddingLoss: value = nan (nan), but should be 0x1.2bdebfb806e9dp+0 (1.17136763)

Case cosine_embedding[huge]-forward-sum-float64-cpu-eager-edge-n2x3-s3.

Made by lossbench. Exit status 1 while the difference is there, 0 once it is gone.
"""

import sys

import torch

F = float.fromhex  # numbers are written as hex floats
inf, nan = float("inf"), float("nan")

input1 = torch.tensor([F("0x1.ca5332621158cp+10"), F("0x1.67030db6e8e4bp+8"), F("-0x1.da18840085118p+9")], dtype=torch.float64).reshape(1, 3)
input2 = torch.tensor([F("-0x1.a618c40d11479p+0"), F("-0x1.fffffffffffffp+1023"), F("-0x1.b48c5fb4dd7e0p+1")], dtype=torch.float64).reshape(1, 3)
target = torch.tensor([1.0], dtype=torch.float64)
loss = torch.nn.CosineEmbeddingLoss(reduction='sum')
value = loss(input1, input2, target)
got = value.detach()
what, should, allowed = 'value', F("0x1.2bdebfb806e9dp+0"), F("0x1.c38bccd22a6cep-50")

got = float(got)
print(f"torch {torch.__version__}: {what} is {got!r}, but should be {should!r}, give or take {allowed:.3g}")
same = got == should or (got != got and should != should) or abs(got - should) <= allowed
sys.exit(0 if same else 1)
