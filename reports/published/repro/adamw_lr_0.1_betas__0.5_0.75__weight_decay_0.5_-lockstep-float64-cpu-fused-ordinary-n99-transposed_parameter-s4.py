"""AdamW: step 1, parameter 0, exp_avg_sq[1, 0] = 0x1.ca2764b231da8p-10 (0.00174771835), but should be 0x1.93acd532979efp-14 (9.62436505e-05)

Case adamw[lr=0.1,betas=(0.5,0.75),weight_decay=0.5]-lockstep-float64-cpu-fused-ordinary-n99-transposed_parameter-s4.

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


start0 = place(torch.tensor([F("-0x1.892accfd3e730p-2"), F("-0x1.3e55d7b9cd4b6p-5"), F("-0x1.cb36d7cf0d030p-1"), F("0x1.0b1ff1baa40bcp+1")], dtype=torch.float64).reshape(2, 2), 'transposed')
p0 = torch.nn.Parameter(start0)
optimizer = torch.optim.AdamW([{"params": [p0], 'lr': 0.001, 'betas': (0.9, 0.999), 'weight_decay': 0.01}], lr=0.1, betas=(0.5, 0.75), weight_decay=0.5, fused=True)

# step 1
p0.grad = place(torch.tensor([F("0x1.2823b5f8eddf2p-2"), F("0x1.526f718abd5a8p+0"), F("-0x1.3dad5ac67f6edp-2"), F("-0x1.339901681c843p-1")], dtype=torch.float64).reshape(2, 2), 'offset')
optimizer.step()
got = optimizer.state[p0]['exp_avg_sq'][1, 0]
what, should, allowed = 'exp_avg_sq', F("0x1.93acd532979efp-14"), F("0x1.93acd532979f0p-63")

got = float(got)
print(f"torch {torch.__version__}: {what} is {got!r}, but should be {should!r}, give or take {allowed:.3g}")
same = got == should or (got != got and should != should) or abs(got - should) <= allowed
sys.exit(0 if same else 1)
