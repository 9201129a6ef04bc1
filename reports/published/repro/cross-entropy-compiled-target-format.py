import torch

x, y = torch.zeros(2, 3), torch.tensor([1, 0], dtype=torch.int32)
compiled = torch.compile(torch.nn.CrossEntropyLoss(), backend="aot_eager_decomp_partition")
try:
    answer = compiled(x, y).item()
except Exception:
    answer = None
assert answer is None, f"an int32 target gave {answer}, where eager code raises RuntimeError"
