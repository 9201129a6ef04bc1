import torch

raised = {}
for name, option in (("Adam", "amsgrad"), ("AdamW", "amsgrad"), ("RMSprop", "centered"), ("RMSprop", "momentum")):
    p = torch.ones(1, requires_grad=True)
    p.grad = torch.ones(1)
    optimizer = getattr(torch.optim, name)([p])
    optimizer.step()
    optimizer.param_groups[0][option] = 0.5 if option == "momentum" else True
    try:
        optimizer.step()
    except KeyError as error:
        raised[f"{name} {option}"] = str(error)
assert not raised, f"switched on after the first step, these raised KeyError: {raised}"
