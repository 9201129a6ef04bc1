"""SGD: killed the process (SIGABRT), but must raise an exception

Case sgd[a_state_of_smaller_parameters]-refuses-float32-cpu-fused-contract-n2x3.

Made by optimbench. Exit status 1 while the difference is there, 0 once it is gone.
"""

import functools
import sys
import warnings

import torch

warnings.simplefilter("ignore")  # a warning is no refusal
make = functools.partial(torch.optim.SGD, fused=True)

def parameters(dtype=torch.float32):
    values = torch.arange(1.0, 7.0, device="cpu").reshape(2, 3).to(dtype)
    return torch.nn.Parameter(values), torch.nn.Parameter(-0.5 * values)


def dense(x):
    return 0.5 * x.detach()


def sparse(x):
    rows = torch.arange(len(x), device=x.device).reshape(1, -1)
    return torch.sparse_coo_tensor(rows, dense(x), x.shape, device=x.device, check_invariants=True).coalesce()


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

try:
    p, q = parameters()
    small = make([p, q], momentum=0.5, weight_decay=0.1, maximize=True)
    step(small)
    large = make([torch.nn.Parameter(x.detach().repeat(32, 16)) for x in parameters()], momentum=0.5, weight_decay=0.1, maximize=True)
    large.load_state_dict(small.state_dict())
    answer = step(large)
except Exception as error:
    print(f"torch {torch.__version__}: refused, as it should be: {type(error).__name__}: {error}")
    sys.exit(0)
print(f"torch {torch.__version__}: answered {answer}, but must raise Exception")
sys.exit(1)
