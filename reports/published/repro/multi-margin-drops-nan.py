import torch

x = torch.tensor([[float("nan"), 1.0, 2.0]])
one = torch.nn.functional.multi_margin_loss(x, torch.tensor([0])).item()
many = torch.nn.functional.multilabel_margin_loss(x, torch.tensor([[0, -1, -1]])).item()
assert one != one and many != many, f"losses with a NaN score are {one} and {many}, not NaN"
