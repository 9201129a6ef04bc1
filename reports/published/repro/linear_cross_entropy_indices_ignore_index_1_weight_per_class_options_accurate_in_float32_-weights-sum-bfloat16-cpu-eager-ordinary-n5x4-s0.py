"""LinearCrossEntropyLoss: d/dweight: no gradient flows to weight, which requires it

Case linear_cross_entropy[indices,ignore_index=1,weight=per_class,options=accurate_in_float32]-weights-sum-bfloat16-cpu-eager-ordinary-n5x4-s0.

Made by lossbench. Exit status 1 while the difference is there, 0 once it is gone.
"""

import sys

import torch

F = float.fromhex  # numbers are written as hex floats
inf, nan = float("inf"), float("nan")

input = torch.tensor([F("0x1.a200000000000p+0"), F("0x1.0e00000000000p-1"), F("0x1.dc00000000000p-3"), F("-0x1.1600000000000p-6")], dtype=torch.float64).reshape(1, 4).to(torch.bfloat16)
target = torch.tensor([0], dtype=torch.int64)
linear_weight = torch.tensor([F("-0x1.6600000000000p-3"), F("0x1.f600000000000p-4"), F("-0x1.1c00000000000p+0"), F("0x1.5000000000000p-2"), F("-0x1.dc00000000000p-1"), F("0x1.3400000000000p-2"), F("-0x1.4a00000000000p+0"), F("0x1.0200000000000p+0"), F("-0x1.6400000000000p-1"), F("0x1.8c00000000000p-1"), F("-0x1.9e00000000000p-1"), F("-0x1.2e00000000000p-2"), F("-0x1.0a00000000000p-1"), F("0x1.be00000000000p-2"), F("-0x1.5a00000000000p-2"), F("-0x1.9e00000000000p-2"), F("-0x1.5a00000000000p-2"), F("0x1.b800000000000p-1"), F("0x1.7400000000000p-3"), -0.875], dtype=torch.float64).reshape(5, 4).to(torch.bfloat16)
weight = torch.tensor([0.25, 0.25, 0.75, 0.25, 0.25], dtype=torch.float64).to(torch.bfloat16).requires_grad_()
loss = torch.nn.LinearCrossEntropyLoss(in_features=4, num_classes=5, ignore_index=1, weight=weight, options=torch.nn.LinearCrossEntropyOptions(batch_chunk_size=2, acc_policy='accurate', acc_dtype=torch.float32), dtype=torch.bfloat16, reduction='sum')
loss.load_state_dict({"linear.weight": linear_weight}, strict=False)
loss.requires_grad_(False)
value = loss(input, target)
value.backward(torch.tensor(1.25, dtype=torch.float64).to(torch.bfloat16).to(value))

print('d/dweight: no gradient flows to weight, which requires it')
sys.exit(1 if weight.grad is None else 0)
