import torch

one = torch.tensor([[0.0, 0.0], [2.0**-10, 0.0]], dtype=torch.float16)
two = torch.tensor([[1.0, 0.0], [2.0**-10, 0.0]], dtype=torch.float16)
loss = torch.nn.functional.cosine_embedding_loss(one, two, torch.ones(2), reduction="none").tolist()
assert loss == [1.0, 0.0], f"losses of a zero vector and of equal ones are {loss}, not [1.0, 0.0]"
