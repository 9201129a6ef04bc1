import torch

log_probs = torch.zeros(1, 2, 3)  # one frame, two samples of three classes
log_probs[0, 1, 0] = -7.0  # a number of the second sample
targets = torch.tensor([[3], [1]])  # the first sample's label is no class
try:
    answer = torch.nn.functional.ctc_loss(log_probs, targets, (1, 1), (1, 1), reduction="none")[0].item()
except Exception:
    answer = None
assert answer is None, f"label 3 of 3 classes gave a loss of {answer}, a number that belongs to another sample"
