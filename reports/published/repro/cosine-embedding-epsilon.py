import torch

x = torch.tensor([[1e-6, 0.0]])
loss = torch.nn.functional.cosine_embedding_loss(x, x, torch.ones(1)).item()
assert abs(loss) < 1e-6, f"the loss of equal vectors is {loss}, not 0"
