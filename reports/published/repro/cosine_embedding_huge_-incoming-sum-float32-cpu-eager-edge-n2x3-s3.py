"""CosineEmbeddingLoss: d/dinput1[0, 0] = nan (nan), but should be 0x1.6e53351eb726bp-6 (0.0223587054)

Case cosine_embedding[huge]-incoming-sum-float32-cpu-eager-edge-n2x3-s3.

Made by lossbench. Exit status 1 while the difference is there, 0 once it is gone.
"""

import sys

import torch

F = float.fromhex  # numbers are written as hex floats
inf, nan = float("inf"), float("nan")

input1 = torch.tensor([F("-0x1.01f68e0000000p+0"), F("-0x1.15d16e0000000p+1"), F("-0x1.5e48980000000p-1")], dtype=torch.float64).reshape(1, 3).to(torch.float32).requires_grad_()
input2 = torch.tensor([F("0x1.1017600000000p+2"), F("0x1.52a8500000000p-1"), F("-0x1.fffffe0000000p+127")], dtype=torch.float64).reshape(1, 3).to(torch.float32).requires_grad_()
target = torch.tensor([1.0], dtype=torch.float64).to(torch.float32)
loss = torch.nn.CosineEmbeddingLoss(reduction='sum')
value = loss(input1, input2, target)
value.backward(torch.tensor(-0.5, dtype=torch.float64).to(torch.float32).to(value))
got = input1.grad[0, 0]
what, should, allowed = 'd/dinput1', F("0x1.6e53351eb726bp-6"), F("0x1.4bfb7dd35d770p-23")

got = float(got)
print(f"torch {torch.__version__}: {what} is {got!r}, but should be {should!r}, give or take {allowed:.3g}")
same = got == should or (got != got and should != should) or abs(got - should) <= allowed
sys.exit(0 if same else 1)
