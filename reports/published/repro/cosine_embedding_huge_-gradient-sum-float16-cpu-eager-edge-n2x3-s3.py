"""CosineEmbeddingLoss: d/dinput2[0, 0] = nan (nan), but should be -0x0.0p+0 (-0)

Case cosine_embedding[huge]-gradient-sum-float16-cpu-eager-edge-n2x3-s3.

Made by lossbench. Exit status 1 while the difference is there, 0 once it is gone.
"""

import sys

import torch

F = float.fromhex  # numbers are written as hex floats
inf, nan = float("inf"), float("nan")

input1 = torch.tensor([-65504.0, F("-0x1.a9c0000000000p-8"), F("0x1.d240000000000p+0")], dtype=torch.float64).reshape(1, 3).to(torch.float16).requires_grad_()
input2 = torch.tensor([F("0x1.0000000000000p-24"), F("-0x1.3b40000000000p-4"), F("-0x1.0040000000000p+0")], dtype=torch.float64).reshape(1, 3).to(torch.float16).requires_grad_()
target = torch.tensor([-1.0], dtype=torch.float64).to(torch.float16)
loss = torch.nn.CosineEmbeddingLoss(reduction='sum')
value = loss(input1, input2, target)
value.backward(torch.tensor(1.0, dtype=torch.float64).to(torch.float16).to(value))
got = input2.grad[0, 0]
what, should, allowed = 'd/dinput2', -0.0, F("0x1.7fef984def674p-21")

got = float(got)
print(f"torch {torch.__version__}: {what} is {got!r}, but should be {should!r}, give or take {allowed:.3g}")
same = got == should or (got != got and should != should) or abs(got - should) <= allowed
sys.exit(0 if same else 1)
