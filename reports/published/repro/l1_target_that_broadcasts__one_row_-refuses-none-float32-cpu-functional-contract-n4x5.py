"""L1Loss: answered tensor([[2.2500, 1.7500, 3.7500, 0.5000, 3.0000], [1.5000, 0.2500, 5.0000, 3.250, but must raise an exception

Case l1[target_that_broadcasts,_one_row]-refuses-none-float32-cpu-functional-contract-n4x5.

Made by lossbench. Exit status 1 while the difference is there, 0 once it is gone.
"""

import sys
import warnings

import torch

warnings.simplefilter("ignore")  # a warning is no refusal
make = torch.nn.functional.l1_loss
input = torch.tensor([0.5, -0.75, -1.5, -2.25, 2.5, -0.25, 0.75, -2.75, 1.5, -2.0, -1.75, -2.0, -0.25, -2.25, 1.25, -2.25, -0.75, -1.75, -2.75, 0.5], dtype=torch.float64).reshape(4, 5).to(torch.float32)
target = torch.tensor([-1.75, 1.0, 2.25, -1.75, -0.5, 2.25, -2.25, 0.25, 1.5, -3.0, -0.25, -1.5, 0.25, -2.25, -3.0, -3.0, -2.25, -1.0, -1.5, 1.0], dtype=torch.float64).reshape(4, 5).to(torch.float32)

try:
    target = torch.tensor([-1.75, 1.0, 2.25, -1.75, -0.5], dtype=torch.float64).reshape(1, 5).to(torch.float32)
    answer = make(input, target, reduction='none')
except Exception as error:
    print(f"torch {torch.__version__}: refused, as it should be: {type(error).__name__}: {error}")
    sys.exit(0)
print(f"torch {torch.__version__}: answered {answer}, but must raise Exception")
sys.exit(1)
