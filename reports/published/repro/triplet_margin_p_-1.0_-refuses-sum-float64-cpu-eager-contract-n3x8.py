"""TripletMarginLoss: answered tensor(3.1293, dtype=torch.float64), but must raise an exception

Case triplet_margin[p_-1.0]-refuses-sum-float64-cpu-eager-contract-n3x8.

Made by lossbench. Exit status 1 while the difference is there, 0 once it is gone.
"""

import sys
import warnings

import torch

warnings.simplefilter("ignore")  # a warning is no refusal
make = torch.nn.TripletMarginLoss
anchor = torch.tensor([-0.75, 2.25, -0.75, -1.75, -1.25, -2.5, -1.75, 1.25, -1.0, 0.75, 1.75, 2.5, 1.75, -0.25, -0.75, -0.5, 2.25, 3.0, 2.0, -3.0, -2.25, 0.75, 1.5, 1.5], dtype=torch.float64).reshape(3, 8)
positive = torch.tensor([0.25, -2.25, 1.25, -2.5, -0.75, 1.5, 0.0, -0.5, 0.25, 2.25, -3.0, 0.5, -2.75, 1.0, 3.0, 2.0, 2.0, -2.0, 0.75, 2.5, -1.25, -2.5, 1.75, 1.5], dtype=torch.float64).reshape(3, 8)
negative = torch.tensor([-0.25, 2.25, -1.25, 2.5, 0.75, -1.5, -0.0, 0.5, 2.75, -1.5, -1.75, 1.5, -2.0, 3.0, 1.5, -2.5, 2.0, -2.0, 0.75, 2.5, -1.25, -2.5, 1.75, 1.5], dtype=torch.float64).reshape(3, 8)

try:
    answer = make(reduction='sum', p=-1.0)(anchor, positive, negative)
except Exception as error:
    print(f"torch {torch.__version__}: refused, as it should be: {type(error).__name__}: {error}")
    sys.exit(0)
print(f"torch {torch.__version__}: answered {answer}, but must raise Exception")
sys.exit(1)
