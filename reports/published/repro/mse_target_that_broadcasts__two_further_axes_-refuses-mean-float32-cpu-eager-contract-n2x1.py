"""MSELoss: answered tensor(6.4062), but must raise an exception

Case mse[target_that_broadcasts,_two_further_axes]-refuses-mean-float32-cpu-eager-contract-n2x1.

Made by lossbench. Exit status 1 while the difference is there, 0 once it is gone.
"""

import sys
import warnings

import torch

warnings.simplefilter("ignore")  # a warning is no refusal
make = torch.nn.MSELoss
input = torch.tensor([-1.25, -0.25], dtype=torch.float64).reshape(2, 1).to(torch.float32)
target = torch.tensor([-0.5, 2.75], dtype=torch.float64).reshape(2, 1).to(torch.float32)

try:
    target = torch.tensor([-0.5, 2.75], dtype=torch.float64).reshape(2, 1, 1, 1).to(torch.float32)
    answer = make()(input, target)
except Exception as error:
    print(f"torch {torch.__version__}: refused, as it should be: {type(error).__name__}: {error}")
    sys.exit(0)
print(f"torch {torch.__version__}: answered {answer}, but must raise Exception")
sys.exit(1)
