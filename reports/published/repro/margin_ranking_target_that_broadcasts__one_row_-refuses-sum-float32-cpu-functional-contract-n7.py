"""MarginRankingLoss: answered tensor(8.5000), but must raise an exception

Case margin_ranking[target_that_broadcasts,_one_row]-refuses-sum-float32-cpu-functional-contract-n7.

Made by lossbench. Exit status 1 while the difference is there, 0 once it is gone.
"""

import sys
import warnings

import torch

warnings.simplefilter("ignore")  # a warning is no refusal
make = torch.nn.functional.margin_ranking_loss
input1 = torch.tensor([0.0, -2.5, -0.25, 2.0, 0.75, 1.75, 2.75], dtype=torch.float64).to(torch.float32)
input2 = torch.tensor([3.0, 0.25, 2.25, 2.25, -3.0, -1.0, 2.75], dtype=torch.float64).to(torch.float32)
target = torch.tensor([1.0, -1.0, 1.0, -1.0, 1.0, -1.0, -1.0], dtype=torch.float64).to(torch.float32)

try:
    target = torch.tensor([1.0], dtype=torch.float64).to(torch.float32)
    answer = make(input1, input2, target, reduction='sum')
except Exception as error:
    print(f"torch {torch.__version__}: refused, as it should be: {type(error).__name__}: {error}")
    sys.exit(0)
print(f"torch {torch.__version__}: answered {answer}, but must raise Exception")
sys.exit(1)
