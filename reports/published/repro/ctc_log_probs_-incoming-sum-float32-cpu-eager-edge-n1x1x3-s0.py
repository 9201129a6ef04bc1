"""CTCLoss: d/dlog_probs[0, 0, 1] = -0x1.c3349c0000000p-1 (-0.881260753), but should be 0x0.0p+0 (0)

Case ctc[log_probs]-incoming-sum-float32-cpu-eager-edge-n1x1x3-s0.

Made by lossbench. Exit status 1 while the difference is there, 0 once it is gone.
"""

import sys

import torch

F = float.fromhex  # numbers are written as hex floats
inf, nan = float("inf"), float("nan")

log_probs = torch.tensor([F("-0x1.1efc520000000p+1"), F("-0x1.02dee60000000p-3"), F("-0x1.1871440000000p+2")], dtype=torch.float64).reshape(1, 1, 3).to(torch.float32).requires_grad_()
targets = torch.tensor([], dtype=torch.int64).reshape(1, 0)
input_lengths = torch.tensor([1], dtype=torch.int64)
target_lengths = torch.tensor([0], dtype=torch.int64)
loss = torch.nn.CTCLoss(reduction='sum')
value = loss(log_probs, targets, input_lengths, target_lengths)
value.backward(torch.tensor(-1.0, dtype=torch.float64).to(torch.float32).to(value))
got = log_probs.grad[0, 0, 1]
what, should, allowed = 'd/dlog_probs', 0.0, F("0x1.0000000000000p-147")

got = float(got)
print(f"torch {torch.__version__}: {what} is {got!r}, but should be {should!r}, give or take {allowed:.3g}")
same = got == should or (got != got and should != should) or abs(got - should) <= allowed
sys.exit(0 if same else 1)
