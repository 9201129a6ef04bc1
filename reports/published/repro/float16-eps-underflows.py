import torch

after = {}
for name in ("Adam", "AdamW", "Adamax", "RMSprop", "Adagrad", "SparseAdam"):
    p = torch.ones(1, dtype=torch.float16, requires_grad=True)
    zero = torch.zeros_like(p)
    p.grad = torch.sparse_coo_tensor([[0]], zero, (1,)) if name == "SparseAdam" else zero
    getattr(torch.optim, name)([p], lr=0.01).step()
    after[name] = p.item()
assert all(abs(p - 1) < 0.01 for p in after.values()), f"1 became {after} in a step with a gradient of 0"
