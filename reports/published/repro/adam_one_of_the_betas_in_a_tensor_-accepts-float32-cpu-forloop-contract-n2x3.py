"""Adam: raised ValueError, but must work: betas must be either both floats or both Tensors

Case adam[one_of_the_betas_in_a_tensor]-accepts-float32-cpu-forloop-contract-n2x3.

Made by optimbench. Exit status 1 while the difference is there, 0 once it is gone.
"""

import functools
import sys
import warnings

import torch

inf, nan = float('inf'), float('nan')

warnings.simplefilter("ignore")  # a warning is no refusal
make = functools.partial(torch.optim.Adam, foreach=False, fused=False)

def parameters(dtype=torch.float32):
    values = torch.arange(1.0, 7.0, device="cpu").reshape(2, 3).to(dtype)
    return torch.nn.Parameter(values), torch.nn.Parameter(-0.5 * values)


def dense(x):
    return 0.5 * x.detach()


def sparse(x):
    rows = torch.arange(2, device=x.device).reshape(1, 2)
    return torch.sparse_coo_tensor(rows, dense(x), x.shape, check_invariants=True).coalesce()


def step(optimizer, gradient=dense):
    held = [x for group in optimizer.param_groups for x in group["params"]]

    def closure():
        for x in held:
            x.grad = gradient(x)
        return sum(0.25 * x.detach().abs().square().sum() for x in held)

    for _ in range(3):
        closure()
        optimizer.step()
    return torch.cat([x.detach().flatten() for x in held])


def close(answer, expected):
    bound = 64 * torch.finfo(expected.dtype).eps * expected.abs().max().clamp(min=1)
    return answer.shape == expected.shape and bool(((answer - expected).abs() <= bound).all())


p, q = parameters()
answer = step(make([p, q], betas=(0.5, 0.875)))
expected = answer
try:
    p, q = parameters()
    answer = step(make([p, q], betas=(0.5, torch.tensor(0.875))))
except Exception as error:
    print(f"torch {torch.__version__}: raised {type(error).__name__}, but must work: {error}")
    sys.exit(1)
print(f"torch {torch.__version__}: answered {answer}, and should answer {expected}")
sys.exit(0 if close(answer, expected) else 1)
