"""CrossEntropyLoss: value = inf (inf), but should be 0x1.2fe009219999ap+11 (2431.00111)

Case cross_entropy[extreme-indices,ignore_index=1,label_smoothing=0.1]-forward-mean-float16-cpu-eager-edge-n16x2-s5.

Made by lossbench. Exit status 1 while the difference is there, 0 once it is gone.
"""

import sys

import torch

F = float.fromhex  # numbers are written as hex floats
inf, nan = float("inf"), float("nan")

input = torch.tensor([49120.0, F("-0x1.6d40000000000p-5"), 49120.0, 1000.0], dtype=torch.float64).reshape(2, 2).to(torch.float16)
target = torch.tensor([0, 0], dtype=torch.int64)
loss = torch.nn.CrossEntropyLoss(ignore_index=1, label_smoothing=0.1, reduction='mean')
value = loss(input, target)
got = value.detach()
what, should, allowed = 'value', F("0x1.2fe009219999ap+11"), F("0x1.0a5fd5bb91c2dp+5")

got = float(got)
print(f"torch {torch.__version__}: {what} is {got!r}, but should be {should!r}, give or take {allowed:.3g}")
same = got == should or (got != got and should != should) or abs(got - should) <= allowed
sys.exit(0 if same else 1)
