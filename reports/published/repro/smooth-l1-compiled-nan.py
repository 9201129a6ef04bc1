import torch

nan = torch.tensor([float("nan")])


def gradient(loss):
    x = nan.clone().requires_grad_()
    loss(x, torch.zeros(1)).backward()
    return x.grad.item()


loss = torch.nn.SmoothL1Loss()
found = gradient(torch.compile(loss, backend="aot_eager_decomp_partition"))
assert found != found, f"the gradient at NaN is {found} compiled, and {gradient(loss)} otherwise"
