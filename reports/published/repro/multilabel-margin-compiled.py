import torch

x, y = torch.tensor([[0.1, 0.2, 0.4, 0.8]]), torch.tensor([[3, -1, 0, 1]])
loss = torch.compile(torch.nn.functional.multilabel_margin_loss, backend="aot_eager")(x, y).item()
assert abs(loss - 0.325) < 1e-6, f"compiled, the loss is {loss}, not 0.325"
