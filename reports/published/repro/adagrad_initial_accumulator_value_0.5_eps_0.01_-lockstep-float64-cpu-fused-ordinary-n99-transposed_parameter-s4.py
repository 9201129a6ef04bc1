"""Adagrad: step 1, parameter 0, sum[0, 1] = 0x1.240458fd2a4bep-1 (0.57034567), but should be 0x1.006e53a639d50p-1 (0.500841726)

Case adagrad[initial_accumulator_value=0.5,eps=0.01]-lockstep-float64-cpu-fused-ordinary-n99-transposed_parameter-s4.

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


start0 = place(torch.tensor([F("0x1.83ab6176418e0p-2"), F("-0x1.8c3ca3b426007p-5"), F("0x1.4e3332e3f532ap-1"), F("0x1.2b261e0e531bbp+0")], dtype=torch.float64).reshape(2, 2), 'transposed')
p0 = torch.nn.Parameter(start0)
optimizer = torch.optim.Adagrad([{"params": [p0], 'initial_accumulator_value': 0.0, 'eps': 1e-10}], initial_accumulator_value=0.5, eps=0.01, fused=True)

# step 1
p0.grad = place(torch.tensor([F("0x1.6db1310988c2dp+0"), F("-0x1.db57549e75918p-6"), F("0x1.0f97d1a75b463p-2"), F("0x1.64bd4233237acp-4")], dtype=torch.float64).reshape(2, 2), 'offset')
optimizer.step()
got = optimizer.state[p0]['sum'][0, 1]
what, should, allowed = 'sum', F("0x1.006e53a639d50p-1"), F("0x1.00dca74c73aa0p-52")

got = float(got)
print(f"torch {torch.__version__}: {what} is {got!r}, but should be {should!r}, give or take {allowed:.3g}")
same = got == should or (got != got and should != should) or abs(got - should) <= allowed
sys.exit(0 if same else 1)
