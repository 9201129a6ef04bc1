"""Muon: step 1, parameter 0, momentum_buffer[0, 1] = -0x1.ac00000000000p-2 (-0.41796875), but should be -0x1.bc00000000000p-3 (-0.216796875)

Case muon-lockstep-bfloat16-cpu-forloop-ordinary-n24-transposed-s0.

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


start0 = place(torch.tensor([F("-0x1.7e00000000000p+0"), F("0x1.7400000000000p-1"), F("-0x1.ac00000000000p-1"), F("0x1.1a00000000000p-1")], dtype=torch.float64).reshape(2, 2).to(torch.bfloat16), 'transposed')
p0 = torch.nn.Parameter(start0)
optimizer = torch.optim.Muon([{"params": [p0], 'weight_decay': 0.0, 'momentum': 0.5, 'nesterov': False, 'ns_coefficients': (1.875, -1.25, 0.375), 'ns_steps': 1, 'adjust_lr_fn': 'original'}])

# step 1
p0.grad = place(torch.tensor([F("0x1.6200000000000p-3"), F("-0x1.bc00000000000p-3"), F("-0x1.0800000000000p-3"), F("0x1.ae00000000000p-2")], dtype=torch.float64).reshape(2, 2).to(torch.bfloat16), 'transposed')
optimizer.step()
got = optimizer.state[p0]['momentum_buffer'][0, 1]
what, should, allowed = 'momentum_buffer', F("-0x1.bc00000000000p-3"), F("0x1.bc00000000000p-9")

got = float(got)
print(f"torch {torch.__version__}: {what} is {got!r}, but should be {should!r}, give or take {allowed:.3g}")
same = got == should or (got != got and should != should) or abs(got - should) <= allowed
sys.exit(0 if same else 1)
