"""CosineEmbeddingLoss: d/dinput1[0, 0] = inf (inf), but should be -0x1.bada38525870ap+1 (-3.45978455)

Case cosine_embedding[short]-gradient-none-float16-cpu-eager-edge-n3x8-s1.

Made by lossbench. Exit status 1 while the difference is there, 0 once it is gone.
"""

import sys

import torch

F = float.fromhex  # numbers are written as hex floats
inf, nan = float("inf"), float("nan")

input1 = torch.tensor([F("-0x1.5700000000000p-8"), F("0x1.fbc0000000000p-10"), F("0x1.7840000000000p-9"), F("-0x1.4b80000000000p-7"), F("0x1.d700000000000p-8"), F("-0x1.2680000000000p-10"), 0.0, F("0x1.3f00000000000p-9")], dtype=torch.float64).reshape(1, 8).to(torch.float16).requires_grad_()
input2 = torch.tensor([F("0x1.7a40000000000p-8"), F("-0x1.7c80000000000p-8"), F("0x1.7ac0000000000p-8"), F("0x1.5580000000000p-7"), F("-0x1.d340000000000p-8"), F("0x1.3f80000000000p-8"), F("-0x1.2cc0000000000p-9"), F("-0x1.db00000000000p-11")], dtype=torch.float64).reshape(1, 8).to(torch.float16)
target = torch.tensor([1.0], dtype=torch.float64).to(torch.float16)
loss = torch.nn.CosineEmbeddingLoss(reduction='none')
value = loss(input1, input2, target)
value.backward(torch.tensor([1.0], dtype=torch.float64).to(torch.float16).to(value))
got = input1.grad[0, 0]
what, should, allowed = 'd/dinput1', F("-0x1.bada38525870ap+1"), F("0x1.183c0de915e7ap+0")

got = float(got)
print(f"torch {torch.__version__}: {what} is {got!r}, but should be {should!r}, give or take {allowed:.3g}")
same = got == should or (got != got and should != should) or abs(got - should) <= allowed
sys.exit(0 if same else 1)
