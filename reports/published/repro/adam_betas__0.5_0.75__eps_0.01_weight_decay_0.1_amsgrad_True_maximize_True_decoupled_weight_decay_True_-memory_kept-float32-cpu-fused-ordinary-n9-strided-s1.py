"""Adam: run: memory around parameter 0 was written to

Case adam[betas=(0.5,0.75),eps=0.01,weight_decay=0.1,amsgrad=True,maximize=True,decoupled_weight_decay=True]-memory_kept-float32-cpu-fused-ordinary-n9-strided-s1.

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


start0 = place(torch.tensor([F("0x1.afb8000000000p+0"), F("0x1.65bf9e0000000p-4"), F("-0x1.8bcaa80000000p-3")], dtype=torch.float64).reshape(1, 3).to(torch.float32), 'strided')
p0 = torch.nn.Parameter(start0)
optimizer = torch.optim.Adam([{"params": [p0], 'betas': (0.9, 0.999), 'eps': 1e-08, 'weight_decay': 0.0, 'amsgrad': False, 'maximize': False, 'decoupled_weight_decay': False}], betas=(0.5, 0.75), eps=0.01, weight_decay=0.1, amsgrad=True, maximize=True, decoupled_weight_decay=True, fused=True)

# step 1
p0.grad = place(torch.tensor([F("-0x1.89b4520000000p-4"), F("0x1.27914e0000000p-6"), F("-0x1.d82dd00000000p-3")], dtype=torch.float64).reshape(1, 3).to(torch.float32), 'strided')
optimizer.step()

print('run: memory around parameter 0 was written to')


def around(tensor):
    length = tensor.untyped_storage().nbytes() // tensor.element_size()
    outside = torch.ones(length, dtype=torch.bool)
    outside.as_strided(tensor.shape, tensor.stride(), tensor.storage_offset()).fill_(False)
    return tensor.detach().as_strided((length,), (1,), 0)[outside]


tensors = [t for t in [start0, p0.grad] if t is not None]
sys.exit(0 if all((around(t) == 7.0).all() for t in tensors) else 1)
