import torch


def step(*parameters):
    for p in parameters:
        p.grad = torch.full_like(p, 1e-4)
    torch.optim.Adafactor(parameters, foreach=False).step()
    return parameters[-1].item()


alone = step(torch.ones(1))
beside = step(torch.ones(1, dtype=torch.bfloat16), torch.ones(1))
assert alone == beside, f"a float32 parameter moves to {alone} by itself, and to {beside} behind a bfloat16 one"
