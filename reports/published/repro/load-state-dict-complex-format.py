import copy

import torch

p, q = (torch.ones(1, dtype=dtype, requires_grad=True) for dtype in (torch.complex64, torch.complex128))
p.grad, q.grad = torch.ones_like(p), torch.ones_like(q)
first, second = torch.optim.Adam([p]), torch.optim.Adam([q])
first.step()
second.load_state_dict(copy.deepcopy(first.state_dict()))
held = second.state[q]["exp_avg"].dtype
assert held == q.dtype, f"the moment of a {q.dtype} parameter is {held} after loading"
