import torch

four = torch.tensor([[30000.0, 0.0]] * 4, dtype=torch.float16)
many = torch.zeros(70000, 2, dtype=torch.float16)
of_four = torch.nn.functional.cross_entropy(four, torch.ones(4, dtype=torch.long)).item()
of_many = torch.nn.functional.cross_entropy(many, torch.zeros(70000, dtype=torch.long)).item()
right = of_four == 30000 and abs(of_many - 0.693) < 0.01
assert right, f"the mean of 4 losses of 30000 is {of_four}, that of 70000 losses of log 2 is {of_many}"
