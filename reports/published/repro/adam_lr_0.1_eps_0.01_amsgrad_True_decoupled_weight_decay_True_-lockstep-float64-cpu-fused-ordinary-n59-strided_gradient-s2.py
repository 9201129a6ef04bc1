"""Adam: step 1, parameter 0, exp_avg_sq[0, 1] = 0x1.916872b020c50p-5 (0.049), but should be 0x1.d5781b3fe03a6p-24 (1.09306808e-07)

Case adam[lr=0.1,eps=0.01,amsgrad=True,decoupled_weight_decay=True]-lockstep-float64-cpu-fused-ordinary-n59-strided_gradient-s2.

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


start0 = place(torch.tensor([F("0x1.1fca344999ee8p-3"), F("0x1.0403082f34637p-1"), F("-0x1.8af2217a6088dp+0"), F("0x1.0978b5e21e558p-2"), F("0x1.3cc6a4013f8b7p-3"), F("0x1.553790151bcc7p-1"), F("-0x1.e27b109e14d13p-3"), F("-0x1.d03cdc39fd2d9p-1"), F("0x1.e365734d91495p-2"), F("-0x1.5c87b5b491baep+0"), F("0x1.3034d368fb282p+0"), F("-0x1.542c3add66004p-2"), F("0x1.6f5a570f3ab2bp-1"), F("0x1.672f1683c03c4p-1"), F("0x1.ec8830bb09144p-3"), F("0x1.566af91842eb4p-1"), F("-0x1.54ef5a5ef34a3p-1"), F("0x1.248bc2e286badp+1")], dtype=torch.float64).reshape(9, 2), 'offset')
p0 = torch.nn.Parameter(start0)
optimizer = torch.optim.Adam([{"params": [p0], 'lr': 0.001, 'eps': 1e-08, 'amsgrad': False, 'decoupled_weight_decay': False}], lr=0.1, eps=0.01, amsgrad=True, decoupled_weight_decay=True, fused=True)

# step 1
p0.grad = place(torch.tensor([F("-0x1.91c41a467a894p-1"), F("-0x1.5696cf422fc2dp-7"), F("0x1.1d6329abb89d1p-1"), F("0x1.629e582333d7ep-3"), F("0x1.a27b779f1775ep+0"), F("0x1.5713092d061e1p+0"), F("0x1.f9979ca9ff735p-3"), F("-0x1.a41341b9c44fbp+0"), F("-0x1.2f3b7a19a1589p-1"), F("0x1.8e9f868456be6p-1"), F("-0x1.2db515dd9699bp+0"), F("-0x1.f3567ecaae019p-2"), F("0x1.1e4f0de4fc5f7p-3"), F("0x1.7e52607a4ecc4p+0"), F("0x1.e4457bf87f822p-1"), F("0x1.322e83bf5bf65p+1"), F("0x1.7e6c1baa159e4p-1"), F("-0x1.5f160d7f68f5ap+0")], dtype=torch.float64).reshape(9, 2), 'strided')
optimizer.step()
got = optimizer.state[p0]['exp_avg_sq'][0, 1]
what, should, allowed = 'exp_avg_sq', F("0x1.d5781b3fe03a6p-24"), F("0x1.d5781b3fe03a8p-73")

got = float(got)
print(f"torch {torch.__version__}: {what} is {got!r}, but should be {should!r}, give or take {allowed:.3g}")
same = got == should or (got != got and should != should) or abs(got - should) <= allowed
sys.exit(0 if same else 1)
