import torch

p, q = torch.ones(1, requires_grad=True), torch.ones(1, requires_grad=True)
first, second = torch.optim.Adam([p]), torch.optim.Adam([q])
p.grad, q.grad = torch.ones(1), torch.ones(1)
first.step()
second.load_state_dict(first.state_dict())
second.step()
steps, average = first.state[p]["step"].item(), first.state[p]["exp_avg"].item()
assert steps == 1, f"the optimizer made one step; after a step of the other it counts {steps:.0f}, with exp_avg {average:.2f}"
