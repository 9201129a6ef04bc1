import torch

taken = []
for name in ("Adadelta", "Adafactor", "Adagrad", "Adam", "AdamW", "ASGD", "NAdam", "RAdam", "RMSprop", "Rprop", "SGD", "SparseAdam"):
    try:
        getattr(torch.optim, name)({torch.ones(1, requires_grad=True), torch.ones(1, requires_grad=True)})
        taken.append(name)
    except TypeError:
        pass
assert not taken, f"a set of parameters was taken by {', '.join(taken)}"
