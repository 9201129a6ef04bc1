import torch

x = torch.tensor([[[0.0, 0.0, -torch.inf]]], requires_grad=True)
one = torch.tensor([1])
torch.nn.functional.ctc_loss(x.log_softmax(-1), torch.tensor([[1]]), one, one).backward()
grad = x.grad.flatten().tolist()
assert grad == [0.5, -0.5, 0.0], f"the derivative by the scores is {grad}, not [0.5, -0.5, 0]"
