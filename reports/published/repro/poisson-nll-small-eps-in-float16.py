import torch

rate = torch.zeros(2, dtype=torch.float16)
count = torch.tensor([0.0, 1.0], dtype=torch.float16)
loss = torch.nn.functional.poisson_nll_loss(rate, count, log_input=False, reduction="none").tolist()
assert loss[0] == 0 and abs(loss[1] - 18.42) < 0.1, f"losses of the counts 0 and 1 at rate 0 are {loss}, not [0, 18.42]"
