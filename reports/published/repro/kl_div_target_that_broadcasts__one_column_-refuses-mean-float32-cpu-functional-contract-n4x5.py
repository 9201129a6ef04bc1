"""KLDivLoss: answered tensor(0.0022), but must raise an exception

Case kl_div[target_that_broadcasts,_one_column]-refuses-mean-float32-cpu-functional-contract-n4x5.

Made by lossbench. Exit status 1 while the difference is there, 0 once it is gone.
"""

import sys
import warnings

import torch

warnings.simplefilter("ignore")  # a warning is no refusal
make = torch.nn.functional.kl_div
input = torch.tensor([-2.375, -4.125, -3.125, -1.875, -0.375, -2.125, -4.375, -1.875, -0.5, -1.875, -4.25, -5.375, -2.375, -2.125, -0.25, -2.5, -2.75, -4.75, -4.5, -0.125], dtype=torch.float64).reshape(4, 5).to(torch.float32)
target = torch.tensor([0.0, 0.0, 0.25, 0.625, 0.125, 0.125, 0.25, 0.0, 0.625, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.5, 0.0, 0.5], dtype=torch.float64).reshape(4, 5).to(torch.float32)

try:
    target = torch.tensor([0.0, 0.125, 0.0, 0.0], dtype=torch.float64).reshape(4, 1).to(torch.float32)
    answer = make(input, target)
except Exception as error:
    print(f"torch {torch.__version__}: refused, as it should be: {type(error).__name__}: {error}")
    sys.exit(0)
print(f"torch {torch.__version__}: answered {answer}, but must raise Exception")
sys.exit(1)
