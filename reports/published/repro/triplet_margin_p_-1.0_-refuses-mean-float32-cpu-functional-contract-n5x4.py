"""TripletMarginLoss: answered tensor(0.9799), but must raise an exception

Case triplet_margin[p_-1.0]-refuses-mean-float32-cpu-functional-contract-n5x4.

Made by lossbench. Exit status 1 while the difference is there, 0 once it is gone.
"""

import sys
import warnings

import torch

warnings.simplefilter("ignore")  # a warning is no refusal
make = torch.nn.functional.triplet_margin_loss
anchor = torch.tensor([-0.5, 0.5, -0.5, 2.5, -3.0, -2.5, -3.0, 0.5, -1.25, 1.0, -1.0, 3.0, -2.0, -2.0, 2.75, -2.25, 3.0, 1.75, 0.0, -0.25], dtype=torch.float64).reshape(5, 4).to(torch.float32)
positive = torch.tensor([0.0, 3.0, -2.75, -2.0, -3.0, -2.5, -3.0, 0.5, -2.5, 2.0, -1.75, 0.5, -3.0, 1.75, -2.75, 0.25, -1.0, 3.0, 0.5, 2.5], dtype=torch.float64).reshape(5, 4).to(torch.float32)
negative = torch.tensor([0.0, 3.0, -2.75, -2.0, -3.0, -2.5, -3.0, 0.5, 0.5, -2.5, -1.5, -1.25, -3.0, 1.75, -2.75, 0.25, -2.25, -1.25, 0.5, 3.0], dtype=torch.float64).reshape(5, 4).to(torch.float32)

try:
    answer = make(anchor, positive, negative, p=-1.0)
except Exception as error:
    print(f"torch {torch.__version__}: refused, as it should be: {type(error).__name__}: {error}")
    sys.exit(0)
print(f"torch {torch.__version__}: answered {answer}, but must raise Exception")
sys.exit(1)
