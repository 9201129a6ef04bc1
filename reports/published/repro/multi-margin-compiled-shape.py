import torch

x, y = torch.tensor([0.1, 0.2, 0.4, 0.8]), torch.tensor(3)
compiled = torch.compile(torch.nn.functional.multi_margin_loss, backend="aot_eager")
shape = compiled(x, y, reduction="none").shape
assert shape == (), f"compiled, the shape is {tuple(shape)}, not ()"
