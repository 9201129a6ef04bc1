import torch

optimizer = torch.optim.SparseAdam([torch.ones(1, requires_grad=True)])
p = torch.ones(1, dtype=torch.complex64, requires_grad=True)
try:
    optimizer.add_param_group({"params": [p]})
    taken = True
except ValueError:
    taken = False
assert not taken, "a complex parameter, which the constructor refuses, was added"
