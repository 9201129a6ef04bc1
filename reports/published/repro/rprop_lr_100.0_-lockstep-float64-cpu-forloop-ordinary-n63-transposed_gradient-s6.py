"""Rprop: step 1, parameter 0, step_size[0] = 0x1.9000000000000p+5 (50), but should be 0x1.9000000000000p+6 (100)

Case rprop[lr=100.0]-lockstep-float64-cpu-forloop-ordinary-n63-transposed_gradient-s6.

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


p0 = torch.nn.Parameter(torch.tensor([F("-0x1.7efc0d107b38cp-1")], dtype=torch.float64))
optimizer = torch.optim.Rprop([{"params": [p0]}], lr=100.0, foreach=False)

# step 1
p0.grad = place(torch.tensor([F("0x1.ef3566e4a7902p-3")], dtype=torch.float64), 'transposed')
optimizer.step()
got = optimizer.state[p0]['step_size'][0]
what, should, allowed = 'step_size', 100.0, F("0x1.9000000000000p-45")

got = float(got)
print(f"torch {torch.__version__}: {what} is {got!r}, but should be {should!r}, give or take {allowed:.3g}")
same = got == should or (got != got and should != should) or abs(got - should) <= allowed
sys.exit(0 if same else 1)
