"""BCELoss: answered tensor(nan), but must raise an exception

Case bce[input_-0.5]-refuses-mean-float32-cpu-aot_decomposed-contract-n4x5.

Made by lossbench. Exit status 1 while the difference is there, 0 once it is gone.
"""

import sys
import warnings

import torch

warnings.simplefilter("ignore")  # a warning is no refusal
make = torch.nn.BCELoss
input = torch.tensor([1.0, 0.75, 1.0, 0.5, 0.5, 0.25, 0.0, 0.0, 0.75, 0.75, 0.5, 0.25, 0.0, 0.0, 0.5, 0.75, 0.25, 1.0, 0.25, 0.75], dtype=torch.float64).reshape(4, 5).to(torch.float32)
target = torch.tensor([0.0, 0.5, 0.5, 0.25, 0.5, 1.0, 0.5, 0.25, 0.5, 0.5, 0.5, 0.25, 0.75, 1.0, 1.0, 0.5, 1.0, 0.0, 0.5, 0.0], dtype=torch.float64).reshape(4, 5).to(torch.float32)

try:
    input = torch.tensor([1.0, 0.75, 1.0, 0.5, 0.5, 0.25, 0.0, 0.0, 0.75, 0.75, 0.5, 0.25, 0.0, 0.0, 0.5, 0.75, 0.25, 1.0, 0.25, -0.5], dtype=torch.float64).reshape(4, 5).to(torch.float32)
    answer = torch.compile(make(), backend="aot_eager_decomp_partition")(input, target)
except Exception as error:
    print(f"torch {torch.__version__}: refused, as it should be: {type(error).__name__}: {error}")
    sys.exit(0)
print(f"torch {torch.__version__}: answered {answer}, but must raise Exception")
sys.exit(1)
