"""NLLLoss: value = inf (inf), but should be 0x1.ffbf052000000p+14 (32751.755)

Case nll[weight=per_class,ignore_index=1]-forward-mean-float16-cpu-eager-edge-n6x2-s4.

Made by lossbench. Exit status 1 while the difference is there, 0 once it is gone.
"""

import sys

import torch

F = float.fromhex  # numbers are written as hex floats
inf, nan = float("inf"), float("nan")

input = torch.tensor([F("0x1.f5c0000000000p-2"), 0.0, -65504.0, F("-0x1.1b80000000000p+1")], dtype=torch.float64).reshape(2, 2).to(torch.float16)
target = torch.tensor([0, 0], dtype=torch.int64)
weight = torch.tensor([1.5, 0.75], dtype=torch.float64).to(torch.float16)
loss = torch.nn.NLLLoss(weight=weight, ignore_index=1, reduction='mean')
value = loss(input, target)
got = value.detach()
what, should, allowed = 'value', F("0x1.ffbf052000000p+14"), F("0x1.001bc44b343dep+8")

got = float(got)
print(f"torch {torch.__version__}: {what} is {got!r}, but should be {should!r}, give or take {allowed:.3g}")
same = got == should or (got != got and should != should) or abs(got - should) <= allowed
sys.exit(0 if same else 1)
