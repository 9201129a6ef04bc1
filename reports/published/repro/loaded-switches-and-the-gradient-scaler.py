import torch

p, q = torch.ones(1, requires_grad=True), torch.ones(1, requires_grad=True)
first, second = torch.optim.SGD([p], lr=0.5), torch.optim.SGD([q], lr=0.5, fused=True)
second.load_state_dict(first.state_dict())
scaler = torch.amp.GradScaler("cpu", init_scale=4.0)
scaler.scale(q.sum()).backward()
error = None
try:
    scaler.step(second)
except AssertionError as raised:
    error = raised
assert error is None and q.item() == 0.5, f"the step should lead to 0.5, but raised AssertionError: {error}"
