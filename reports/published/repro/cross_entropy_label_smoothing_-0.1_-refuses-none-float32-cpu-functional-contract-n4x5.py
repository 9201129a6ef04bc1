"""CrossEntropyLoss: answered tensor([3.3967, 5.4633, 2.2289, 4.6141]), but must raise an exception

Case cross_entropy[label_smoothing_-0.1]-refuses-none-float32-cpu-functional-contract-n4x5.

Made by lossbench. Exit status 1 while the difference is there, 0 once it is gone.
"""

import sys
import warnings

import torch

warnings.simplefilter("ignore")  # a warning is no refusal
make = torch.nn.functional.cross_entropy
input = torch.tensor([1.25, -0.75, 2.25, -0.5, -3.0, 0.5, -2.75, 2.0, 1.75, -1.5, -2.0, -2.75, -0.25, -2.25, -1.75, -1.25, -1.0, 3.0, -0.25, 2.0], dtype=torch.float64).reshape(4, 5).to(torch.float32)
target = torch.tensor([1, 1, 0, 0], dtype=torch.int64)

try:
    answer = make(input, target, reduction='none', label_smoothing=-0.1)
except Exception as error:
    print(f"torch {torch.__version__}: refused, as it should be: {type(error).__name__}: {error}")
    sys.exit(0)
print(f"torch {torch.__version__}: answered {answer}, but must raise Exception")
sys.exit(1)
