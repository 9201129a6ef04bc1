import torch

wrong = {}
for name in ("Adagrad", "Adam", "AdamW", "SGD"):
    memory = torch.ones(4)
    p = memory[::2].requires_grad_()  # elements 0 and 2; elements 1 and 3 belong to others
    p.grad = torch.ones(2)
    getattr(torch.optim, name)([p], lr=0.5, fused=True).step()
    if memory[1] != 1 or memory[3] != 1 or memory[2] == 1:
        wrong[name] = memory.tolist()
assert not wrong, f"[1, 1, 1, 1], of which elements 0 and 2 were to be stepped, became {wrong}"
