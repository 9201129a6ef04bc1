import torch

p = torch.ones(4, dtype=torch.bfloat16, requires_grad=True)
p.grad = torch.ones_like(p)
first, second = torch.optim.ASGD([p], lr=0.01), torch.optim.ASGD([p], lr=0.01)
first.step()
second.load_state_dict(first.state_dict())
before, after = first.state[p]["eta"].item(), second.state[p]["eta"].item()
assert before == after, f"the learning rate eta was {before} when saved and is {after} when loaded"
