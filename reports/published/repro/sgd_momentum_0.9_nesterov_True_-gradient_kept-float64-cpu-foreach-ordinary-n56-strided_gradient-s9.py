"""SGD: run: step 1: the gradient of parameter 0 was changed in place

Case sgd[momentum=0.9,nesterov=True]-gradient_kept-float64-cpu-foreach-ordinary-n56-strided_gradient-s9.

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


start0 = place(torch.tensor([F("-0x1.0023e9d352686p+1")], dtype=torch.float64), 'offset')
p0 = torch.nn.Parameter(start0)
optimizer = torch.optim.SGD([{"params": [p0]}], momentum=0.9, nesterov=True, foreach=True)

# step 1
p0.grad = place(torch.tensor([F("0x1.1a020230bef60p-4")], dtype=torch.float64), 'strided')
before0 = p0.grad.clone()
optimizer.step()

print('run: step 1: the gradient of parameter 0 was changed in place')
sys.exit(0 if torch.equal(p0.grad, before0) else 1)
