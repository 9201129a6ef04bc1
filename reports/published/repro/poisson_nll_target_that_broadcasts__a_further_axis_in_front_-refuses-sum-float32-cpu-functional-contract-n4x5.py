"""PoissonNLLLoss: answered tensor(37.6224), but must raise an exception

Case poisson_nll[target_that_broadcasts,_a_further_axis_in_front]-refuses-sum-float32-cpu-functional-contract-n4x5.

Made by lossbench. Exit status 1 while the difference is there, 0 once it is gone.
"""

import sys
import warnings

import torch

warnings.simplefilter("ignore")  # a warning is no refusal
make = torch.nn.functional.poisson_nll_loss
input = torch.tensor([2.0, 2.75, 3.0, 3.0, 0.25, 1.75, 1.0, 2.25, 2.25, 0.25, 2.5, 1.5, 2.5, 1.0, 2.5, 1.75, 0.25, 1.25, 2.25, 2.0], dtype=torch.float64).reshape(4, 5).to(torch.float32)
target = torch.tensor([4.0, 2.0, 2.0, 4.0, 8.0, 2.0, 1.0, 2.0, 6.0, 2.0, 2.0, 3.0, 6.0, 4.0, 3.0, 6.0, 6.0, 4.0, 5.0, 3.0], dtype=torch.float64).reshape(4, 5).to(torch.float32)

try:
    target = torch.tensor([4.0, 2.0, 2.0, 4.0, 8.0, 2.0, 1.0, 2.0, 6.0, 2.0, 2.0, 3.0, 6.0, 4.0, 3.0, 6.0, 6.0, 4.0, 5.0, 3.0], dtype=torch.float64).reshape(1, 4, 5).to(torch.float32)
    answer = make(input, target, reduction='sum')
except Exception as error:
    print(f"torch {torch.__version__}: refused, as it should be: {type(error).__name__}: {error}")
    sys.exit(0)
print(f"torch {torch.__version__}: answered {answer}, but must raise Exception")
sys.exit(1)
