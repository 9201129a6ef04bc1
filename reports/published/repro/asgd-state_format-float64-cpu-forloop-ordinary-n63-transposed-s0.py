"""ASGD: step 1, parameter 0, eta: is held in float32, but needs float64 at least

Case asgd-state_format-float64-cpu-forloop-ordinary-n63-transposed-s0.

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


start0 = place(torch.tensor([F("0x1.9d2d6b0c316d9p-5")], dtype=torch.float64), 'transposed')
p0 = torch.nn.Parameter(start0)
optimizer = torch.optim.ASGD([{"params": [p0], 'lambd': 0.1, 'alpha': 0.5, 't0': 3.0, 'weight_decay': 0.1, 'maximize': True}], foreach=False)

# step 1
p0.grad = place(torch.tensor([F("-0x1.032e9ffcc7535p-7")], dtype=torch.float64), 'transposed')
optimizer.step()

held = optimizer.state[p0]['eta'].dtype
print('step 1, parameter 0, eta: is held in float32, but needs float64 at least', held)
sys.exit(0 if torch.finfo(held).eps <= 2.220446049250313e-16 else 1)
