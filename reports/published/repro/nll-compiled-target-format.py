import torch

loss = torch.compile(torch.nn.NLLLoss(), backend="aot_eager_decomp_partition")
try:
    found = loss(torch.zeros(2, 3), torch.tensor([True, False]))
except RuntimeError:
    found = None
assert found is None, f"a target of bool gives {found}, not an error"
