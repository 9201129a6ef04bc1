import torch

x, t, v = (torch.tensor([value], dtype=torch.float16) for value in (512.0, 0.0, 32768.0))
loss = torch.nn.functional.gaussian_nll_loss(x, t, v).item()
assert abs(loss - 9.2) < 0.1, f"the loss for x - t = 512 and v = 32768 is {loss}, not (10.4 + 8) / 2 = 9.2"
