"""AdamW: step 1, parameter 0, exp_avg_sq[3, 1] = 0x1.916872b020c50p-5 (0.049), but should be 0x1.4d93bb5daff18p-18 (4.97068581e-06)

Case adamw[eps=0.01,weight_decay=0.5,maximize=True]-lockstep-float64-cpu-fused-ordinary-n59-strided_gradient-s2.

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


start0 = place(torch.tensor([F("0x1.ecbcce756e841p-3"), F("-0x1.19e15b7e9a812p-1"), F("-0x1.7fbd462d29368p-4"), F("-0x1.dcdaf05cadae4p+0"), F("-0x1.271d2f65baae2p+0"), F("0x1.2bdc050205204p-2"), F("0x1.54c3d804a2b0fp-1"), F("0x1.27191daccb2cfp-3"), F("-0x1.2c79a54b215c2p-3"), F("-0x1.ff55686ff7d55p-1"), F("0x1.03fd0488f107ap+0"), F("0x1.fdbede83e821dp-4"), F("0x1.75bbe19de41b8p-3"), F("-0x1.6df0b6a3c2584p-1"), F("-0x1.59bd4f71c0542p+0"), F("-0x1.49bfe91242b51p-1"), F("-0x1.3afca8f975849p-2"), F("-0x1.cb1483f4dd797p-2")], dtype=torch.float64).reshape(9, 2), 'offset')
p0 = torch.nn.Parameter(start0)
optimizer = torch.optim.AdamW([{"params": [p0], 'eps': 1e-08, 'weight_decay': 0.01, 'maximize': False}], eps=0.01, weight_decay=0.5, maximize=True, fused=True)

# step 1
p0.grad = place(torch.tensor([F("-0x1.fe2874f7d8893p-1"), F("-0x1.0ba0438409198p+1"), F("0x1.de644c34c5526p-1"), F("-0x1.90d438f7ca563p-1"), F("0x1.5418d38f2ac56p-2"), F("-0x1.df6617c213b92p-2"), F("0x1.5661ed4dd758ep-1"), F("-0x1.20c7d950d99ebp-4"), F("0x1.1f2a3bb4eb3e8p+0"), F("0x1.777416eb5a8d7p+0"), F("-0x1.e8a63cfe186efp-2"), F("0x1.74d8d69862da8p-1"), F("-0x1.39f89ef1a4059p-2"), F("-0x1.dff02c7670a3ep-1"), F("-0x1.1538dcc426711p+0"), F("-0x1.2af30bc89f9a1p+1"), F("0x1.10eaeb4f87866p-3"), F("-0x1.6dc397c99d0b9p-1")], dtype=torch.float64).reshape(9, 2), 'strided')
optimizer.step()
got = optimizer.state[p0]['exp_avg_sq'][3, 1]
what, should, allowed = 'exp_avg_sq', F("0x1.4d93bb5daff18p-18"), F("0x1.4d93bb5daff1ap-67")

got = float(got)
print(f"torch {torch.__version__}: {what} is {got!r}, but should be {should!r}, give or take {allowed:.3g}")
same = got == should or (got != got and should != should) or abs(got - should) <= allowed
sys.exit(0 if same else 1)
