"""LBFGS: step: raised RuntimeError: view size is not compatible with input tensor's size and stride (at least one dimension spans across two contiguous subspaces). Use .reshape(...) instead.

Case lbfgs[quadratic]-completes-float64-cpu-forloop-ordinary-n8-transposed-s0.

Made by optimbench. Exit status 1 while the difference is there, 0 once it is gone.
"""

import copy
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


a = torch.tensor([F("0x1.1800b4ae08935p+1"), F("-0x1.56f24dcbfaf7ap-1"), F("-0x1.0ab0f59f8de32p-1"), F("0x1.b600d715c3c14p-1"), F("0x1.3810b8c02bb62p-3"), F("-0x1.1363800f282b0p-1"), F("-0x1.13b2eebbc5028p-1"), F("-0x1.ce4e907ce9f01p-3"), F("-0x1.56f24dcbfaf7ap-1"), F("0x1.0f8c37756bd55p+0"), F("0x1.d7862e50fafc5p-2"), F("-0x1.49438e7a9a72ap-2"), F("-0x1.177661aa44340p-3"), F("0x1.d2a81e9c72de7p-1"), F("-0x1.7adc6026617f4p-2"), F("0x1.374b00ad00fb4p-3"), F("-0x1.0ab0f59f8de32p-1"), F("0x1.d7862e50fafc5p-2"), F("0x1.9961253c64dd6p+0"), F("-0x1.8958c4a17db30p-2"), F("-0x1.0c74d398c25e1p-4"), F("0x1.83b1fc3edb2fcp-2"), F("-0x1.1920ccdf61752p-2"), F("-0x1.03db39e857679p-1"), F("0x1.b600d715c3c14p-1"), F("-0x1.49438e7a9a72ap-2"), F("-0x1.8958c4a17db30p-2"), F("0x1.9906a81377aefp+0"), F("0x1.5f37081122f44p-4"), F("-0x1.77341155cf562p-2"), F("0x1.53c3fa8cee191p-4"), F("-0x1.d7c41806524c3p-3"), F("0x1.3810b8c02bb62p-3"), F("-0x1.177661aa44340p-3"), F("-0x1.0c74d398c25e1p-4"), F("0x1.5f37081122f44p-4"), F("0x1.6c5557879e676p-1"), F("-0x1.aefa452da6574p-3"), F("-0x1.8f13042921988p-3"), F("-0x1.4cd24127fc7c7p-2"), F("-0x1.1363800f282b0p-1"), F("0x1.d2a81e9c72de7p-1"), F("0x1.83b1fc3edb2fcp-2"), F("-0x1.77341155cf562p-2"), F("-0x1.aefa452da6574p-3"), F("0x1.beb7a39eae6e7p+0"), F("-0x1.819ff2edf863ap-1"), F("0x1.378dad9d6d501p-2"), F("-0x1.13b2eebbc5028p-1"), F("-0x1.7adc6026617f4p-2"), F("-0x1.1920ccdf61752p-2"), F("0x1.53c3fa8cee191p-4"), F("-0x1.8f13042921988p-3"), F("-0x1.819ff2edf863ap-1"), F("0x1.dfbee3ed064abp+0"), F("-0x1.08fecb3d0003bp-4"), F("-0x1.ce4e907ce9f01p-3"), F("0x1.374b00ad00fb4p-3"), F("-0x1.03db39e857679p-1"), F("-0x1.d7c41806524c3p-3"), F("-0x1.4cd24127fc7c7p-2"), F("0x1.378dad9d6d501p-2"), F("-0x1.08fecb3d0003bp-4"), F("0x1.e17ca5d554ed3p-1")], dtype=torch.float64).reshape(8, 8)
b = torch.tensor([F("0x1.6723b1366e5bdp-2"), F("-0x1.04db5c2592aaep+0"), F("0x1.b666158e8c115p-1"), F("-0x1.47f3ec91f002ep+0"), F("0x1.4f846fa3e153fp-1"), F("0x1.7393334432c76p-2"), F("0x1.648696aa78a3ap-3"), F("-0x1.8237a0a710e09p-3")], dtype=torch.float64)
start = torch.tensor([F("0x1.f32a355b2860ap+0"), F("-0x1.d16b97f026300p-2"), F("0x1.f7b234b3ca38ep+0"), F("-0x1.d562915bfeb5ep+0"), F("0x1.2d8af60d5b480p+0"), F("0x1.77687b3aebfd8p-1"), F("0x1.f3a755e529de2p+0"), F("-0x1.2db8b7e8e1a32p+0")], dtype=torch.float64)

parameters = [torch.nn.Parameter(place(part.reshape(shape).clone(), 'transposed')) for part, shape in zip(start.split([4, 1, 3]), ((2, 2), (1,), (3,)))]
optimizer = torch.optim.LBFGS(parameters)
points, after, returned, states = [], [], [], []


def flat():
    return torch.cat([p.detach().reshape(-1) for p in parameters])


def closure():
    x = flat()
    points[-1].append(x)
    ax = a @ x
    loss, slope = 0.5 * (x * ax).sum() - (b * x).sum(), ax - b
    for p, part in zip(parameters, slope.split([4, 1, 3])):
        p.grad = place(part.reshape(p.shape).clone(), 'transposed')
    print([value.hex() for value in x.tolist()], float(loss).hex())
    return loss


for step in range(3):
    print("step", step + 1)
    points.append([])
    returned.append(optimizer.step(closure))
    after.append(flat())
    states.append(copy.deepcopy(optimizer.state[parameters[0]]))

print("no exception was raised: the difference is gone")
sys.exit(0)
