import torch

try:
    torch.nn.TripletMarginWithDistanceLoss(margin=0.0)
    said = None
except ValueError as error:
    said = error
assert said is None, f"a margin of 0 was refused: {said}"
