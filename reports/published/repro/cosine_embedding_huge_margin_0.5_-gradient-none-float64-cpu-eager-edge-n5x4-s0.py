"""CosineEmbeddingLoss: value[0] = nan (nan), but should be 0x0.0p+0 (0)

Case cosine_embedding[huge,margin=0.5]-gradient-none-float64-cpu-eager-edge-n5x4-s0.

Made by lossbench. Exit status 1 while the difference is there, 0 once it is gone.
"""

import sys

import torch

F = float.fromhex  # numbers are written as hex floats
inf, nan = float("inf"), float("nan")

input1 = torch.tensor([F("0x1.f9aa317d1cf2cp+10"), F("-0x1.2ddae0f113e83p+7"), F("0x1.3683ed65e4532p+10"), F("0x0.0000000000200p-1022")], dtype=torch.float64).reshape(1, 4).requires_grad_()
input2 = torch.tensor([F("0x1.063563c5a9d18p+1"), F("0x1.fffffffffffffp+1023"), F("0x1.eed3772f5d93ap-1"), F("-0x1.5829ee111258ep-2")], dtype=torch.float64).reshape(1, 4).requires_grad_()
target = torch.tensor([-1.0], dtype=torch.float64)
loss = torch.nn.CosineEmbeddingLoss(margin=0.5, reduction='none')
value = loss(input1, input2, target)
value.backward(torch.tensor([1.0], dtype=torch.float64).to(value))
got = value.detach()[0]
what, should, allowed = 'value', 0.0, 0.0

got = float(got)
print(f"torch {torch.__version__}: {what} is {got!r}, but should be {should!r}, give or take {allowed:.3g}")
same = got == should or (got != got and should != should) or abs(got - should) <= allowed
sys.exit(0 if same else 1)
