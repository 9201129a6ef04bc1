"""TripletMarginWithDistanceLoss: answer: raised ValueError: TripletMarginWithDistanceLoss: expected margin to be greater than 0, got 0.0 instead

Case triplet_margin_with_distance[margin=0.0]-forward-mean-float64-cpu-eager-ordinary-n5x4-s0.

Made by lossbench. Exit status 1 while the difference is there, 0 once it is gone.
"""

import sys

import torch

F = float.fromhex  # numbers are written as hex floats
inf, nan = float("inf"), float("nan")

anchor = torch.tensor([F("-0x1.6c2e08ba30a59p+2"), F("0x1.bb24729267544p-1"), F("-0x1.3332fd8a9bc96p-2"), F("-0x1.637d924d7a5c9p-2")], dtype=torch.float64).reshape(1, 4)
positive = torch.tensor([F("-0x1.2965e9b9bc94ap-1"), F("0x1.2c09643905b54p+0"), F("-0x1.5f69fad4d6560p-1"), F("0x1.4794a1586c5abp+0")], dtype=torch.float64).reshape(1, 4)
negative = torch.tensor([F("-0x1.3118c9ae69fd0p-2"), F("-0x1.93518d271fa79p+0"), F("0x1.b108b5c7f3a8fp-1"), F("0x1.6d62a9e387aeep-3")], dtype=torch.float64).reshape(1, 4)
loss = torch.nn.TripletMarginWithDistanceLoss(margin=0.0, reduction='mean')
value = loss(anchor, positive, negative)

print("no exception was raised: the difference is gone")
sys.exit(0)
