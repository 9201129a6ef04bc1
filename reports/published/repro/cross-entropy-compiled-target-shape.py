import torch

x, y = torch.zeros(1, 3, 2, 4), torch.zeros(1, 2, 1, dtype=torch.long)
x[..., 1:] = torch.nan  # three of four columns
compiled = torch.compile(torch.nn.CrossEntropyLoss(), backend="aot_eager_decomp_partition")
try:
    answer = compiled(x, y).item()
except Exception:
    answer = None
assert answer is None, f"a target of one column for an input of four gave {answer}, where eager code raises RuntimeError"
