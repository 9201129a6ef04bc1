import torch

options = torch.nn.LinearCrossEntropyOptions(batch_chunk_size=2)
loss = torch.nn.LinearCrossEntropyLoss(3, 5, options=options)
try:
    found = loss(torch.zeros(4, 3), torch.tensor([0, 1, 2, 3, 4]))
except (RuntimeError, ValueError):
    found = None
assert found is None, f"five targets for four rows give {found}, not an error"
