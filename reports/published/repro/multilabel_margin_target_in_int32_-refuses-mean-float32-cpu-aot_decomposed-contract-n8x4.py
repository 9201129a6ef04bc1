"""MultiLabelMarginLoss: answered tensor(1.9062), but must raise an exception

Case multilabel_margin[target_in_int32]-refuses-mean-float32-cpu-aot_decomposed-contract-n8x4.

Made by lossbench. Exit status 1 while the difference is there, 0 once it is gone.
"""

import sys
import warnings

import torch

warnings.simplefilter("ignore")  # a warning is no refusal
make = torch.nn.MultiLabelMarginLoss
input = torch.tensor([2.5, -1.5, 0.75, -0.75, -1.5, 1.0, -1.25, 2.0, 0.25, 2.0, 1.0, 2.0, 0.5, -1.75, -2.5, 0.25, -2.0, -1.75, 2.75, 2.25, 1.5, -2.75, -0.25, -2.5, -2.25, -2.75, -0.5, 1.5, 0.25, -1.0, -2.25, 1.75], dtype=torch.float64).reshape(8, 4).to(torch.float32)
target = torch.tensor([0, 1, 2, -1, 0, 2, 3, 1, -1, 1, -1, -1, 2, 3, 0, -1, 3, 2, 1, 0, 2, -1, 3, 1, 3, 1, 0, -1, 0, -1, 3, 1], dtype=torch.int64).reshape(8, 4)

try:
    target = torch.tensor([0, 1, 2, -1, 0, 2, 3, 1, -1, 1, -1, -1, 2, 3, 0, -1, 3, 2, 1, 0, 2, -1, 3, 1, 3, 1, 0, -1, 0, -1, 3, 1], dtype=torch.int64).reshape(8, 4).to(torch.int32)
    answer = torch.compile(make(), backend="aot_eager_decomp_partition")(input, target)
except Exception as error:
    print(f"torch {torch.__version__}: refused, as it should be: {type(error).__name__}: {error}")
    sys.exit(0)
print(f"torch {torch.__version__}: answered {answer}, but must raise Exception")
sys.exit(1)
