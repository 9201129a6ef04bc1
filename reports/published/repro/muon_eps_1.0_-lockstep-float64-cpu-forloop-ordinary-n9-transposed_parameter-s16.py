"""Muon: step 2, parameter 0, parameter[0, 1] = 0x1.a2dc5396df234p-1 (0.818087208), but should be 0x1.a307e8621ae9dp-1 (0.818419706)

Case muon[eps=1.0]-lockstep-float64-cpu-forloop-ordinary-n9-transposed_parameter-s16.

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


start0 = place(torch.tensor([F("0x1.dfcfc5a81c423p-1"), F("0x1.a263edd14a9c5p-1"), F("-0x1.324f58aed085ap-3")], dtype=torch.float64).reshape(1, 3), 'transposed')
p0 = torch.nn.Parameter(start0)
optimizer = torch.optim.Muon([{"params": [p0]}], eps=1.0)

# step 1
p0.grad = place(torch.tensor([F("0x1.5b2373985ce96p+0"), F("-0x1.7226be981f8a7p-1"), F("-0x1.651c3573dbfdfp-1")], dtype=torch.float64).reshape(1, 3), 'offset')
optimizer.step()

# step 2
p0.grad = place(torch.tensor([F("-0x1.b19f2b5fc5a5cp-4"), F("-0x1.66c65b1183fc5p-1"), F("-0x1.72a40fc0e10acp-9")], dtype=torch.float64).reshape(1, 3), 'offset')
optimizer.step()
got = p0.detach()[0, 1]
what, should, allowed = 'parameter', F("0x1.a307e8621ae9dp-1"), F("0x1.115b1c3803863p-12")

got = float(got)
print(f"torch {torch.__version__}: {what} is {got!r}, but should be {should!r}, give or take {allowed:.3g}")
same = got == should or (got != got and should != should) or abs(got - should) <= allowed
sys.exit(0 if same else 1)
