import torch

taken = []
for name in ("Adadelta", "Adagrad", "Adam", "AdamW", "Adamax", "ASGD", "NAdam", "RAdam", "RMSprop", "Rprop", "SGD", "SparseAdam"):
    try:
        getattr(torch.optim, name)([{"params": [torch.ones(1, requires_grad=True)], "lr": -1.0}])
        taken.append(name)
    except ValueError:
        pass
assert not taken, f"lr = -1 in a group was taken by {', '.join(taken)}"
