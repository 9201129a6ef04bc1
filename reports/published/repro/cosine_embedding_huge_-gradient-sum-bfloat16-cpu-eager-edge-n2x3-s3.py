"""CosineEmbeddingLoss: d/dinput2[0, 0] = nan (nan), but should be -0x1.791b0f6ee68ddp-134 (-6.76400185e-41)

Case cosine_embedding[huge]-gradient-sum-bfloat16-cpu-eager-edge-n2x3-s3.

Made by lossbench. Exit status 1 while the difference is there, 0 once it is gone.
"""

import sys

import torch

F = float.fromhex  # numbers are written as hex floats
inf, nan = float("inf"), float("nan")

input1 = torch.tensor([F("-0x1.4c00000000000p+0"), F("-0x1.fe00000000000p+127"), F("-0x1.2800000000000p+0")], dtype=torch.float64).reshape(1, 3).to(torch.bfloat16).requires_grad_()
input2 = torch.tensor([F("-0x1.ae00000000000p+2"), -0.0, F("-0x1.ee00000000000p+1")], dtype=torch.float64).reshape(1, 3).to(torch.bfloat16).requires_grad_()
target = torch.tensor([1.0], dtype=torch.float64).to(torch.bfloat16)
loss = torch.nn.CosineEmbeddingLoss(reduction='sum')
value = loss(input1, input2, target)
value.backward(torch.tensor(1.0, dtype=torch.float64).to(torch.bfloat16).to(value))
got = input2.grad[0, 0]
what, should, allowed = 'd/dinput2', F("-0x1.791b0f6ee68ddp-134"), F("0x1.036fe240bfafcp-129")

got = float(got)
print(f"torch {torch.__version__}: {what} is {got!r}, but should be {should!r}, give or take {allowed:.3g}")
same = got == should or (got != got and should != should) or abs(got - should) <= allowed
sys.exit(0 if same else 1)
