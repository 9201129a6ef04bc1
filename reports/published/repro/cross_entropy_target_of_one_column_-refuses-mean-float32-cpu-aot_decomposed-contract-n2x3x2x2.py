"""CrossEntropyLoss: answered tensor(2.2356), but must raise an exception

Case cross_entropy[target_of_one_column]-refuses-mean-float32-cpu-aot_decomposed-contract-n2x3x2x2.

Made by lossbench. Exit status 1 while the difference is there, 0 once it is gone.
"""

import sys
import warnings

import torch

warnings.simplefilter("ignore")  # a warning is no refusal
make = torch.nn.CrossEntropyLoss
input = torch.tensor([0.75, -2.0, -0.75, 0.5, 2.0, -1.25, -1.5, 1.0, -2.75, -1.0, -1.5, 0.25, -3.0, 1.75, -3.0, -1.5, 2.5, -0.75, 0.0, 0.25, -1.25, 2.75, -1.5, 0.25], dtype=torch.float64).reshape(2, 3, 2, 2).to(torch.float32)
target = torch.tensor([2, 0, 0, 2, 1, 0, 0, 0], dtype=torch.int64).reshape(2, 2, 2)

try:
    target = torch.tensor([2, 0, 1, 0], dtype=torch.int64).reshape(2, 2, 1)
    answer = torch.compile(make(), backend="aot_eager_decomp_partition")(input, target)
except Exception as error:
    print(f"torch {torch.__version__}: refused, as it should be: {type(error).__name__}: {error}")
    sys.exit(0)
print(f"torch {torch.__version__}: answered {answer}, but must raise Exception")
sys.exit(1)
