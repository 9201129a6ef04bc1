"""MultiMarginLoss: answered tensor(1.1328), but must raise an exception

Case multi_margin[target_in_int32]-refuses-mean-float32-cpu-aot_decomposed-contract-n8x4.

Made by lossbench. Exit status 1 while the difference is there, 0 once it is gone.
"""

import sys
import warnings

import torch

warnings.simplefilter("ignore")  # a warning is no refusal
make = torch.nn.MultiMarginLoss
input = torch.tensor([-1.5, 2.75, 0.75, 0.75, 3.0, -1.5, -3.0, -1.75, -2.25, -1.75, 1.0, 0.5, 1.0, 2.5, 1.0, 2.25, 0.5, 2.25, 0.0, -1.0, -3.0, -1.25, -1.0, -1.0, 2.0, 2.0, -2.25, -2.5, -2.75, 3.0, -3.0, 2.25], dtype=torch.float64).reshape(8, 4).to(torch.float32)
target = torch.tensor([0, 0, 0, 0, 2, 2, 0, 3], dtype=torch.int64)

try:
    target = torch.tensor([0, 0, 0, 0, 2, 2, 0, 3], dtype=torch.int64).to(torch.int32)
    answer = torch.compile(make(), backend="aot_eager_decomp_partition")(input, target)
except Exception as error:
    print(f"torch {torch.__version__}: refused, as it should be: {type(error).__name__}: {error}")
    sys.exit(0)
print(f"torch {torch.__version__}: answered {answer}, but must raise Exception")
sys.exit(1)
