import torch

p = torch.zeros(1, requires_grad=True)
optimizer = torch.optim.SparseAdam([p], lr=1.0, betas=(0.0, 0.0))
for gradient in (1.0, 2.0**-16):
    before = p.item()
    p.grad = torch.sparse_coo_tensor([[0]], [gradient], (1,))
    optimizer.step()
step = before - p.item()
assert abs(step - 1) < 1e-3, f"the step with a gradient of 2**-16 and lr = 1 is {step}, not 0.9993"
