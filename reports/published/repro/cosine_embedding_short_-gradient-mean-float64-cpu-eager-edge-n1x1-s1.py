"""CosineEmbeddingLoss: value = 0x1.ffffffffffd8ap+0 (2), but should be 0x1.0000000000000p+1 (2)

Case cosine_embedding[short]-gradient-mean-float64-cpu-eager-edge-n1x1-s1.

Made by lossbench. Exit status 1 while the difference is there, 0 once it is gone.
"""

import sys

import torch

F = float.fromhex  # numbers are written as hex floats
inf, nan = float("inf"), float("nan")

input1 = torch.tensor([F("0x1.4464f1cc54cd5p+1")], dtype=torch.float64).reshape(1, 1).requires_grad_()
input2 = torch.tensor([F("-0x1.6b79c4f9e9dc1p+1")], dtype=torch.float64).reshape(1, 1)
target = torch.tensor([1.0], dtype=torch.float64)
loss = torch.nn.CosineEmbeddingLoss(reduction='mean')
value = loss(input1, input2, target)
value.backward(torch.tensor(1.0, dtype=torch.float64).to(value))
got = value.detach()
what, should, allowed = 'value', 2.0, F("0x1.e000000000007p-48")

got = float(got)
print(f"torch {torch.__version__}: {what} is {got!r}, but should be {should!r}, give or take {allowed:.3g}")
same = got == should or (got != got and should != should) or abs(got - should) <= allowed
sys.exit(0 if same else 1)
