import torch

early, late = torch.ones(2, 1).unbind()
early, late = early.requires_grad_(), late.requires_grad_()
optimizer = torch.optim.SGD([early, late], lr=0.5, momentum=0.5, fused=True)
early.grad = torch.ones(1)
optimizer.step()
late.grad = torch.ones(1)
try:
    optimizer.step()
    said = None
except TypeError as error:
    said = error
assert said is None and late == 0.5, f"the step with the first late gradient raised TypeError: {said}"
