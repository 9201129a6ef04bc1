import torch

torch.use_deterministic_algorithms(True)  # memory that nothing was written to is NaN
x, y = torch.zeros(0, 4), torch.zeros(0, dtype=torch.long)
one = torch.nn.functional.multi_margin_loss(x, y, reduction="sum").item()
many = torch.nn.functional.multilabel_margin_loss(x, torch.zeros(0, 4, dtype=torch.long), reduction="sum").item()
assert one == 0 and many == 0, f"sums over no rows are {one} and {many}, which is unwritten memory, not 0"
