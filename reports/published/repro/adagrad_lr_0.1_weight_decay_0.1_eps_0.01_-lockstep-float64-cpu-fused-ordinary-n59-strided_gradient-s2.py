"""Adagrad: step 1, parameter 0, sum[7, 1] = 0x1.8800000000000p+5 (49), but should be 0x1.684a1037ce587p-7 (0.0109951572)

Case adagrad[lr=0.1,weight_decay=0.1,eps=0.01]-lockstep-float64-cpu-fused-ordinary-n59-strided_gradient-s2.

Made by optimbench. Exit status 1 while the difference is there, 0 once it is gone.
"""

import sys

import torch

F = float.fromhex  # numbers are written as hex floats
inf, nan = float("inf"), float("nan")


def place(tensor, arrangement):
    """The numbers of a tensor arranged in the middle of a buffer of sevens; what is expanded repeats its first row."""
    import torch

    shape, size = tensor.shape, tensor.numel()
    order = list(range(len(shape)))  # the dimensions, the one that varies fastest last
    if arrangement == "transposed":
        order.reverse()
    if arrangement == "channels_last" and len(shape) > 2:
        order = [0, *order[2:], 1]
    strides, step = [0] * len(shape), 2 if arrangement == "strided" else 1
    for d in reversed(order):
        strides[d], step = step, step * max(shape[d], 1)
    if arrangement == "expanded" and len(shape):
        strides[0] = 0
    buffer = torch.full((2 * size + step + 129,), 7.0, dtype=tensor.dtype, device=tensor.device)
    start = 65 if arrangement == "offset" else 64
    if arrangement == "expanded" and len(shape) and size:
        buffer.as_strided(shape[1:], strides[1:], start).copy_(tensor[0])
    elif size:
        buffer.as_strided(shape, strides, start).copy_(tensor)
    return buffer.as_strided(shape, strides, start)


start0 = place(torch.tensor([F("0x1.70bec33de8e2ap-4"), F("-0x1.3b02fa74e3f77p-1"), F("-0x1.25111d399223ap-3"), F("0x1.6380a961124b9p-1"), F("-0x1.6d57607be7c09p+0"), F("0x1.cc56206525f0bp-3"), F("-0x1.5473a91b70d2ep-2"), F("-0x1.4e85ae49f961ap+0"), F("-0x1.a77c10ec1c714p-2"), F("-0x1.9b0618e1747cdp-1"), F("0x1.53cc92379256dp+0"), F("-0x1.c8d64f546c032p-2"), F("-0x1.0bb577a6afb2fp-1"), F("0x1.e558ace9c0707p+0"), F("0x1.77cf98079c791p-2"), F("0x1.65801bcea0b26p-3"), F("0x1.691d925231959p-1"), F("-0x1.bc6395931ba2cp-1")], dtype=torch.float64).reshape(9, 2), 'offset')
p0 = torch.nn.Parameter(start0)
optimizer = torch.optim.Adagrad([{"params": [p0], 'lr': 0.01, 'weight_decay': 0.0, 'eps': 1e-10}], lr=0.1, weight_decay=0.1, eps=0.01, fused=True)

# step 1
p0.grad = place(torch.tensor([F("-0x1.b193c2b74873dp-3"), F("-0x1.624fec20c2f58p-1"), F("0x1.6cb1ce95d7d27p+0"), F("0x1.ff7332636be5cp-2"), F("-0x1.1298264cac468p+1"), F("-0x1.4b501fc16c913p+0"), F("0x1.3663bf2136e77p+0"), F("0x1.7d5bdf2f88725p-2"), F("-0x1.1f90fcba18f6bp+0"), F("0x1.8ac12008247a0p+0"), F("-0x1.65a4d683ea64dp+0"), F("0x1.5f1445c3d509ap+0"), F("0x1.22171c536e5fcp-1"), F("-0x1.31c56a8d1366ap+0"), F("-0x1.22ff38294ac72p+0"), F("0x1.ad7f5e018d9d5p-4"), F("-0x1.250c5f7f828ddp-3"), F("0x1.a1dd03c7ca42bp-3")], dtype=torch.float64).reshape(9, 2), 'strided')
optimizer.step()
got = optimizer.state[p0]['sum'][7, 1]
what, should, allowed = 'sum', F("0x1.684a1037ce587p-7"), F("0x1.684a1037ce588p-57")

got = float(got)
print(f"torch {torch.__version__}: {what} is {got!r}, but should be {should!r}, give or take {allowed:.3g}")
same = got == should or (got != got and should != should) or abs(got - should) <= allowed
sys.exit(0 if same else 1)
