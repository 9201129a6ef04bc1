"""TripletMarginLoss: answered tensor([3.2569, 2.3973, 0.0000, 0.6089]), but must raise an exception

Case triplet_margin[positive_that_broadcasts,_one_row]-refuses-none-float32-cpu-functional-contract-n4x5.

Made by lossbench. Exit status 1 while the difference is there, 0 once it is gone.
"""

import sys
import warnings

import torch

warnings.simplefilter("ignore")  # a warning is no refusal
make = torch.nn.functional.triplet_margin_loss
anchor = torch.tensor([-1.5, -1.0, 0.0, -2.25, -2.75, -2.5, 1.0, -2.25, -1.75, 1.0, 1.25, -2.25, 1.25, 0.5, -2.75, -2.25, 0.5, 1.75, 0.5, -3.0], dtype=torch.float64).reshape(4, 5).to(torch.float32)
positive = torch.tensor([1.5, 1.0, -0.0, 2.25, 2.75, 0.75, 1.25, -1.75, 0.75, 1.75, 1.0, -1.25, -0.75, 1.5, -0.5, 0.75, -2.5, -1.25, -2.75, 2.0], dtype=torch.float64).reshape(4, 5).to(torch.float32)
negative = torch.tensor([-0.75, -2.0, 1.5, 0.25, 2.0, -2.5, -0.75, 2.25, -2.75, 1.25, -2.5, 2.5, 2.75, -1.25, 1.5, 3.0, -2.0, -2.75, 2.75, -2.5], dtype=torch.float64).reshape(4, 5).to(torch.float32)

try:
    positive = torch.tensor([1.5, 1.0, -0.0, 2.25, 2.75], dtype=torch.float64).reshape(1, 5).to(torch.float32)
    answer = make(anchor, positive, negative, reduction='none')
except Exception as error:
    print(f"torch {torch.__version__}: refused, as it should be: {type(error).__name__}: {error}")
    sys.exit(0)
print(f"torch {torch.__version__}: answered {answer}, but must raise Exception")
sys.exit(1)
