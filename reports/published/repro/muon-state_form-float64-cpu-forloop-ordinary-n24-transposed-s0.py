"""Muon: step 1, parameter 0, momentum_buffer: is held 0.5 times as large as the documented one

Case muon-state_form-float64-cpu-forloop-ordinary-n24-transposed-s0.

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


start0 = place(torch.tensor([F("0x1.3e46e951130bcp-3"), F("0x1.567ec7e2a7960p-1"), F("0x1.1dda93610fb2cp+0"), F("0x1.7e3fbe0b4f728p-2")], dtype=torch.float64).reshape(2, 2), 'transposed')
p0 = torch.nn.Parameter(start0)
optimizer = torch.optim.Muon([{"params": [p0], 'weight_decay': 0.0, 'momentum': 0.5, 'nesterov': False, 'ns_coefficients': (1.875, -1.25, 0.375), 'ns_steps': 1, 'adjust_lr_fn': 'original'}])

# step 1
p0.grad = place(torch.tensor([F("-0x1.f7689f9534419p-4"), F("0x1.46f46337411b4p-1"), F("0x1.48f3d58375934p+1"), F("-0x1.2c89f55214115p-1")], dtype=torch.float64).reshape(2, 2), 'transposed')
optimizer.step()

print('step 1, parameter 0, momentum_buffer: is held 0.5 times as large as the documented one')
sys.exit(1)
