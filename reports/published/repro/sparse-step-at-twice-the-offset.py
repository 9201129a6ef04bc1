import torch

memory = torch.zeros(9)
p = memory[3:6].requires_grad_()
p.grad = torch.sparse_coo_tensor([[0]], [1.0], (3,), check_invariants=True).coalesce()
torch.optim.SGD([p], lr=1.0).step()
moved = memory.nonzero().flatten().tolist()
assert moved == [3], f"the step by a gradient of element 3 alone moved the elements {moved}"
