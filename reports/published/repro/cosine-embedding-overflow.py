import torch

x = torch.tensor([[5e9, 0.0]])
half = torch.tensor([[16.0, 0.0]], dtype=torch.float16)
loss = torch.nn.functional.cosine_embedding_loss(x, x, torch.ones(1)).item()
loss_half = torch.nn.functional.cosine_embedding_loss(half, half, torch.ones(1)).item()
assert loss == 0 and loss_half == 0, f"losses of equal vectors are {loss} in float32 and {loss_half} in float16, not 0"
