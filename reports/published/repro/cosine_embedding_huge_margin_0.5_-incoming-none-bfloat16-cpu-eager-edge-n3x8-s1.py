"""CosineEmbeddingLoss: value[0] = nan (nan), but should be 0x1.c564d3c25bad0p-5 (0.0553459297)

Case cosine_embedding[huge,margin=0.5]-incoming-none-bfloat16-cpu-eager-edge-n3x8-s1.

Made by lossbench. Exit status 1 while the difference is there, 0 once it is gone.
"""

import sys

import torch

F = float.fromhex  # numbers are written as hex floats
inf, nan = float("inf"), float("nan")

input1 = torch.tensor([F("0x1.1a00000000000p+0"), F("-0x1.4a00000000000p-5"), F("0x1.3c00000000000p-1"), F("-0x1.1600000000000p+1"), F("-0x1.7800000000000p-2"), F("0x1.fe00000000000p+127"), F("0x1.5c00000000000p-1"), F("-0x1.5400000000000p+0")], dtype=torch.float64).reshape(1, 8).to(torch.bfloat16).requires_grad_()
input2 = torch.tensor([F("-0x1.1400000000000p+1"), F("0x1.a600000000000p+0"), 2.375, -2.6875, F("-0x1.7c00000000000p-2"), F("0x1.9a00000000000p+1"), F("-0x1.2e00000000000p+0"), F("0x1.1e00000000000p+0")], dtype=torch.float64).reshape(1, 8).to(torch.bfloat16)
target = torch.tensor([-1.0], dtype=torch.float64).to(torch.bfloat16)
loss = torch.nn.CosineEmbeddingLoss(margin=0.5, reduction='none')
value = loss(input1, input2, target)
value.backward(torch.tensor([1.0], dtype=torch.float64).to(torch.bfloat16).to(value))
got = value.detach()[0]
what, should, allowed = 'value', F("0x1.c564d3c25bad0p-5"), F("0x1.bce4ba2d7194ap-4")

got = float(got)
print(f"torch {torch.__version__}: {what} is {got!r}, but should be {should!r}, give or take {allowed:.3g}")
same = got == should or (got != got and should != should) or abs(got - should) <= allowed
sys.exit(0 if same else 1)
