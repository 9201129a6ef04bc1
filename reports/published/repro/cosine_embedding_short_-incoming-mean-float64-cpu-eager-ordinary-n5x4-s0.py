"""CosineEmbeddingLoss: d/dinput2[0, 2] = -0x1.917ca80a78973p-5 (-0.0490096361), but should be -0x1.917ca80a78b2bp-5 (-0.0490096361)

Case cosine_embedding[short]-incoming-mean-float64-cpu-eager-ordinary-n5x4-s0.

Made by lossbench. Exit status 1 while the difference is there, 0 once it is gone.
"""

import sys

import torch

F = float.fromhex  # numbers are written as hex floats
inf, nan = float("inf"), float("nan")

input1 = torch.tensor([F("0x1.e225d960449f4p-1"), F("0x1.4c906b2653ecfp-1"), F("0x1.9607530699607p+1"), F("0x1.b8f52b1882e2dp+0")], dtype=torch.float64).reshape(1, 4).requires_grad_()
input2 = torch.tensor([F("-0x1.6dd760ef2eba5p-2"), F("0x1.898a5b225531bp-2"), F("-0x1.67ea4d186bc5cp-4"), F("0x1.123c55586a624p+2")], dtype=torch.float64).reshape(1, 4).requires_grad_()
target = torch.tensor([1.0], dtype=torch.float64)
loss = torch.nn.CosineEmbeddingLoss(reduction='mean')
value = loss(input1, input2, target)
value.backward(torch.tensor(0.25, dtype=torch.float64).to(value))
got = input2.grad[0, 2]
what, should, allowed = 'd/dinput2', F("-0x1.917ca80a78b2bp-5"), F("0x1.b84f3269f2310p-52")

got = float(got)
print(f"torch {torch.__version__}: {what} is {got!r}, but should be {should!r}, give or take {allowed:.3g}")
same = got == should or (got != got and should != should) or abs(got - should) <= allowed
sys.exit(0 if same else 1)
