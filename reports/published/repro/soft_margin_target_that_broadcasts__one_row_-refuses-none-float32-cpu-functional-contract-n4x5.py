"""SoftMarginLoss: answered tensor([[0.1269, 0.2014, 1.1369, 0.0789, 0.0620], [0.1002, 1.7014, 1.7014, 0.474, but must raise an exception

Case soft_margin[target_that_broadcasts,_one_row]-refuses-none-float32-cpu-functional-contract-n4x5.

Made by lossbench. Exit status 1 while the difference is there, 0 once it is gone.
"""

import sys
import warnings

import torch

warnings.simplefilter("ignore")  # a warning is no refusal
make = torch.nn.functional.soft_margin_loss
input = torch.tensor([-2.0, -1.5, 0.75, 2.5, 2.75, -2.25, 1.5, 1.5, 0.5, 2.75, -2.5, -0.75, 2.5, -2.5, 2.25, -2.5, -2.5, -1.5, -2.5, -1.75], dtype=torch.float64).reshape(4, 5).to(torch.float32)
target = torch.tensor([-1.0, -1.0, -1.0, 1.0, 1.0, 1.0, -1.0, -1.0, 1.0, -1.0, 1.0, -1.0, 1.0, -1.0, -1.0, -1.0, -1.0, -1.0, 1.0, 1.0], dtype=torch.float64).reshape(4, 5).to(torch.float32)

try:
    target = torch.tensor([-1.0, -1.0, -1.0, 1.0, 1.0], dtype=torch.float64).reshape(1, 5).to(torch.float32)
    answer = make(input, target, reduction='none')
except Exception as error:
    print(f"torch {torch.__version__}: refused, as it should be: {type(error).__name__}: {error}")
    sys.exit(0)
print(f"torch {torch.__version__}: answered {answer}, but must raise Exception")
sys.exit(1)
