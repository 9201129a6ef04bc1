"""CTCLoss: d/dlog_probs[1, 0, 0] = nan (nan), but should be 0x0.0p+0 (0)

Case ctc[impossible]-gradient-sum-float32-cpu-eager-edge-n5x8x3-s2.

Made by lossbench. Exit status 1 while the difference is there, 0 once it is gone.
"""

import sys

import torch

F = float.fromhex  # numbers are written as hex floats
inf, nan = float("inf"), float("nan")

log_probs = torch.tensor([F("0x1.df52080000000p+1"), F("-0x1.5ee0060000000p-3"), F("-0x1.a26e7c0000000p+0"), -1000.0, F("0x1.08ef720000000p+2"), F("-0x1.7c0e120000000p+0"), F("0x1.271c360000000p+1"), F("-0x1.6b328e0000000p+0"), F("0x1.0bf4280000000p+0"), F("0x1.8cea980000000p+1"), 0.0, F("0x1.0c2e140000000p+1"), F("0x1.a92fd80000000p+0"), F("-0x1.72f13a0000000p-1"), F("0x1.2e4f120000000p-1"), F("0x1.98cd4e0000000p+1"), F("0x1.6b6fa80000000p+1"), F("-0x1.4c3ede0000000p-4"), F("-0x1.2886a20000000p+1"), F("-0x1.2fea600000000p-1"), F("-0x1.b85ee20000000p-1"), -0.0, F("-0x1.18b47a0000000p-1"), F("0x1.7dbd660000000p-1"), -inf, -20.0, -0.0, -0.0, F("0x1.a93c640000000p-1"), F("0x1.b9d6b60000000p-1"), F("-0x1.22c45a0000000p-2"), -inf, F("0x1.5af0380000000p+0"), F("-0x1.cd21560000000p+1"), F("-0x1.d6bfea0000000p+1"), -0.0, F("0x1.2abe8e0000000p-1"), F("-0x1.1b011c0000000p+2"), F("0x1.0979ec0000000p+1"), F("0x1.5999680000000p+1"), F("0x1.5537400000000p+0"), F("-0x1.950f1c0000000p+1"), F("0x1.f2039c0000000p-3"), F("0x1.9ca8e60000000p-1"), F("0x1.42ebdc0000000p-4"), F("0x1.171edc0000000p-1"), F("-0x1.66087a0000000p-1"), F("0x1.03c1ba0000000p+2"), F("0x1.b7ee780000000p+0"), F("-0x1.a5f4ac0000000p+1"), F("-0x1.1e84ae0000000p+0"), F("-0x1.55f2ea0000000p+0"), F("0x1.4bfb2e0000000p-2"), F("-0x1.128c8a0000000p-1"), F("-0x1.61ed140000000p+1"), F("0x1.0183720000000p+2"), F("-0x1.25c2f80000000p-1"), F("-0x1.2970140000000p+0"), F("-0x1.973f140000000p+0"), F("0x1.27cc560000000p-1"), F("0x1.628dfe0000000p+0"), F("-0x1.10fe5c0000000p+1"), F("-0x1.5eaada0000000p+0"), F("-0x1.8bd7280000000p-10"), F("-0x1.e574ca0000000p-5"), F("-0x1.15c4ea0000000p+1"), F("-0x1.870ac60000000p+0"), F("-0x1.cf688a0000000p-3"), F("0x1.60fc880000000p-2"), F("-0x1.2a46740000000p+1"), F("-0x1.08715c0000000p+1"), F("-0x1.95f9080000000p+0"), 20.0, F("0x1.b309640000000p-1"), F("0x1.892c940000000p+0"), F("0x1.464d820000000p+1"), -inf, F("-0x1.232eb20000000p+1"), F("0x1.9ebdde0000000p+1"), F("-0x1.39e4ae0000000p-1"), 20.0, F("0x1.8eb0e40000000p+0"), F("-0x1.8f54040000000p+1"), F("-0x1.1c36d40000000p+1"), F("-0x1.f2fa020000000p+1"), F("0x1.bffae80000000p-1"), 0.0, F("0x1.1b5d460000000p+0"), F("0x1.2d7c980000000p+1"), F("0x1.e8e0120000000p-1"), F("-0x1.0b76940000000p+1"), F("-0x1.a5f5c40000000p+1"), F("0x1.3834440000000p-5"), F("-0x1.445ab60000000p+0"), F("0x1.4d5f420000000p+1"), F("0x1.c46aec0000000p+0"), F("-0x1.66e0360000000p-2"), F("-0x1.17fb180000000p-1"), F("0x1.956d6a0000000p+1"), -20.0, F("0x1.dfd29e0000000p+0"), F("-0x1.b250580000000p-2"), -1000.0, F("0x1.9d589c0000000p-2"), F("0x1.fc81ea0000000p+0"), F("-0x1.39b0b60000000p-1"), F("0x1.ed71a80000000p-1"), F("-0x1.4c4c7c0000000p-1"), F("0x1.54b93a0000000p+0"), F("-0x1.8a7b700000000p+2"), F("-0x1.0ff5300000000p+0"), F("0x1.b60b4c0000000p-2"), F("-0x1.57d7320000000p-1"), F("-0x1.0379560000000p+1"), F("-0x1.333cc60000000p+1"), F("-0x1.1778ae0000000p+0"), F("0x1.ea4eea0000000p-1"), F("-0x1.b324900000000p-3"), F("-0x1.3bea2a0000000p+2"), F("0x1.32a0040000000p+1")], dtype=torch.float64).reshape(5, 8, 3).to(torch.float32).requires_grad_()
targets = torch.tensor([1, 2, 2, 2, 2, 1, 2, 1, 1, 2, 1, 1, 1, 2, 1, 2, 2, 2, 2, 2, 1, 2, 1, 1, 1, 2, 1, 2, 2, 2, 1, 2], dtype=torch.int64).reshape(8, 4)
input_lengths = torch.tensor([2, 4, 2, 4, 4, 3, 5, 3], dtype=torch.int64)
target_lengths = torch.tensor([1, 1, 4, 0, 2, 2, 2, 0], dtype=torch.int64)
loss = torch.nn.CTCLoss(reduction='sum')
value = loss(torch.log_softmax(log_probs, -1), targets, input_lengths, target_lengths)
value.backward(torch.tensor(1.0, dtype=torch.float64).to(torch.float32).to(value))
got = log_probs.grad[1, 0, 0]
what, should, allowed = 'd/dlog_probs', 0.0, F("0x1.200023327a233p-121")

got = float(got)
print(f"torch {torch.__version__}: {what} is {got!r}, but should be {should!r}, give or take {allowed:.3g}")
same = got == should or (got != got and should != should) or abs(got - should) <= allowed
sys.exit(0 if same else 1)
