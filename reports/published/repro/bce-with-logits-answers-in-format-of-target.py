import torch

loss = torch.nn.functional.binary_cross_entropy_with_logits(torch.full((1,), 0.1, dtype=torch.float64), torch.ones(1).half())
assert loss.dtype == torch.float64, f"the loss of float64 logits is {loss.dtype}: {loss.item()} for 0.6443966600735709"
