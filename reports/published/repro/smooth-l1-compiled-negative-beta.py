import torch

compiled = torch.compile(torch.nn.SmoothL1Loss(beta=-1.0), backend="aot_eager_decomp_partition")
try:
    answer = compiled(torch.zeros(2), torch.ones(2)).item()
except Exception:
    answer = None
assert answer is None, f"beta = -1 gave {answer}, where eager code raises RuntimeError"
