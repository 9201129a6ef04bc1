"""Adam: step 1, parameter 0, exp_avg_sq[0, 1] = 0x1.d032b604255e1p-13 (0.000221346898), but should be 0x1.e6d1f5a835481p-14 (0.00011606697)

Case adam[weight_decay=0.1,amsgrad=True]-lockstep-float64-cpu-fused-ordinary-n99-transposed_parameter-s4.

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


start0 = place(torch.tensor([F("0x1.1b17be6de854fp-2"), F("-0x1.ab6c5ae43c57dp-8"), F("-0x1.012b3164fd4bap-1"), F("-0x1.c1cc347655e37p-1")], dtype=torch.float64).reshape(2, 2), 'transposed')
p0 = torch.nn.Parameter(start0)
optimizer = torch.optim.Adam([{"params": [p0], 'weight_decay': 0.0, 'amsgrad': False}], weight_decay=0.1, amsgrad=True, fused=True)

# step 1
p0.grad = place(torch.tensor([F("0x1.12ab1fbfeb6d0p+0"), F("0x1.5cdccc4ee3160p-2"), F("0x1.e1c43f15abf99p-2"), F("-0x1.44861e60df292p-3")], dtype=torch.float64).reshape(2, 2), 'offset')
optimizer.step()
got = optimizer.state[p0]['exp_avg_sq'][0, 1]
what, should, allowed = 'exp_avg_sq', F("0x1.e6d1f5a835481p-14"), F("0x1.e6d1f5a835482p-63")

got = float(got)
print(f"torch {torch.__version__}: {what} is {got!r}, but should be {should!r}, give or take {allowed:.3g}")
same = got == should or (got != got and should != should) or abs(got - should) <= allowed
sys.exit(0 if same else 1)
