"""CrossEntropyLoss: answered tensor(2.8996, dtype=torch.float64), but must raise an exception

Case cross_entropy[label_smoothing_-0.1]-refuses-mean-float64-cpu-eager-contract-n2x3x4.

Made by lossbench. Exit status 1 while the difference is there, 0 once it is gone.
"""

import sys
import warnings

import torch

warnings.simplefilter("ignore")  # a warning is no refusal
make = torch.nn.CrossEntropyLoss
input = torch.tensor([-1.5, -2.0, -1.75, 3.0, -0.75, 1.5, 2.75, -0.75, 2.0, -2.0, -0.25, 0.0, 1.75, 2.25, 2.75, -2.25, -1.75, -2.25, 2.25, -2.75, -2.75, -0.25, -2.5, -2.0], dtype=torch.float64).reshape(2, 3, 4)
target = torch.tensor([0, 2, 2, 2, 1, 1, 1, 2], dtype=torch.int64).reshape(2, 4)

try:
    answer = make(label_smoothing=-0.1)(input, target)
except Exception as error:
    print(f"torch {torch.__version__}: refused, as it should be: {type(error).__name__}: {error}")
    sys.exit(0)
print(f"torch {torch.__version__}: answered {answer}, but must raise Exception")
sys.exit(1)
