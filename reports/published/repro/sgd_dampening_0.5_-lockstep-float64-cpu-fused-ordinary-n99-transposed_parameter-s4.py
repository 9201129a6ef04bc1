"""SGD: step 1, parameter 0, parameter[0, 1] = 0x1.b395a8e433c4bp-1 (0.850751188), but should be 0x1.b3ab0c792c386p-1 (0.850914373)

Case sgd[dampening=0.5]-lockstep-float64-cpu-fused-ordinary-n99-transposed_parameter-s4.

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


start0 = place(torch.tensor([F("-0x1.69cc1e7c678b7p-1"), F("0x1.b42992ab05822p-1"), F("-0x1.3d8645d817087p+0"), F("-0x1.368bd227ec866p-4")], dtype=torch.float64).reshape(2, 2), 'transposed')
p0 = torch.nn.Parameter(start0)
optimizer = torch.optim.SGD([{"params": [p0], 'dampening': 0.0}], dampening=0.5, fused=True)

# step 1
p0.grad = place(torch.tensor([F("-0x1.5f46517b7e192p-2"), F("0x1.ee3c32b8c818ap-1"), F("0x1.20e49851a5f73p+0"), F("0x1.c46a886418a60p-4")], dtype=torch.float64).reshape(2, 2), 'offset')
optimizer.step()
got = p0.detach()[0, 1]
what, should, allowed = 'parameter', F("0x1.b3ab0c792c386p-1"), F("0x1.b42992ab05822p-52")

got = float(got)
print(f"torch {torch.__version__}: {what} is {got!r}, but should be {should!r}, give or take {allowed:.3g}")
same = got == should or (got != got and should != should) or abs(got - should) <= allowed
sys.exit(0 if same else 1)
