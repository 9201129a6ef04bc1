import torch

memory = torch.zeros(8)
p = memory[2:4].requires_grad_()
p.grad = torch.tensor([1.0, 0.0]).to_sparse()
torch.optim.SparseAdam([p], lr=1.0).step()
assert memory[4:].eq(0).all() and p[0] != 0, f"element 2 was to be stepped: {[round(x) for x in memory.tolist()]}"
