"""Muon: step 1, parameter 0, momentum_buffer[0, 0] = 0x0.0p+0 (0), but should be 0x1.713380767dcc5p+0 (1.44219211)

Case muon[momentum=1.0]-lockstep-float64-cpu-forloop-ordinary-n37-strided_gradient-s14.

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


start0 = place(torch.tensor([F("-0x1.002b2042051bfp+0"), F("0x1.3cd3166f726b6p-2"), F("-0x1.c4c4425bf1c48p-4"), F("-0x1.54fd724e474b7p-2"), F("0x1.cfdfd9d152518p+0"), F("-0x1.94406cd6259d2p-2"), F("0x1.4201549981893p-3"), F("0x1.46648be7880c2p-1"), F("0x1.098a8629e1422p-4"), F("0x1.214f40d2361e0p+1"), F("0x1.6d23afbd883b2p-3"), F("-0x1.4496e06ad205dp+0"), F("-0x1.bf92db9bc2882p+0"), F("-0x1.37bbf90cba644p+0"), F("0x1.33bd28af63210p-3"), F("-0x1.7c756c1fe4e89p-1"), F("0x1.16a7086f7a850p-7")], dtype=torch.float64).reshape(1, 17), 'offset')
p0 = torch.nn.Parameter(start0)
optimizer = torch.optim.Muon([{"params": [p0]}], momentum=1.0)

# step 1
p0.grad = place(torch.tensor([F("0x1.713380767dcc5p+0"), F("0x1.7a4c82f1d9a89p-3"), F("0x1.bdb54f2fe06d1p-4"), F("-0x1.facc38a6d5923p-2"), F("-0x1.abfb5322bc473p-2"), F("0x1.2687ce1f9396dp-2"), F("0x1.737c9d9a77600p-1"), F("-0x1.1f827e5e4051bp-2"), F("0x1.253256a21cfc1p+1"), F("0x1.22f791e42d473p-1"), F("0x1.8fdbef2b9e6e4p-3"), F("-0x1.07539b22994cdp-1"), F("-0x1.3ff9dbec1196fp-2"), F("-0x1.6a09e538159a1p-1"), F("-0x1.20f94a4fa0a39p-2"), F("0x1.98eaa31efb575p+0"), F("-0x1.7fc9c3ee7ca90p+0")], dtype=torch.float64).reshape(1, 17), 'strided')
optimizer.step()
got = optimizer.state[p0]['momentum_buffer'][0, 0]
what, should, allowed = 'momentum_buffer', F("0x1.713380767dcc5p+0"), F("0x1.713380767dcc5p-51")

got = float(got)
print(f"torch {torch.__version__}: {what} is {got!r}, but should be {should!r}, give or take {allowed:.3g}")
same = got == should or (got != got and should != should) or abs(got - should) <= allowed
sys.exit(0 if same else 1)
