import torch

loss = torch.compile(torch.nn.NLLLoss(), backend="aot_eager_decomp_partition")
try:
    found = loss(torch.zeros(2, 3, 2, 2), torch.zeros(2, 2, 1, dtype=torch.long))
except RuntimeError:
    found = None
assert found is None, f"a target of one column for two gives {found}, not an error"
