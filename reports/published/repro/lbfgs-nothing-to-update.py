import torch

said = ""
for parameters in ([torch.zeros(0, requires_grad=True)], [{"params": []}]):
    try:
        torch.optim.LBFGS(parameters).step(lambda: torch.tensor(3.5))
    except (RuntimeError, IndexError) as error:
        said += f"{type(error).__name__}: {error}; "
assert not said, said
