"""CosineEmbeddingLoss: answered tensor(0.2500), but must raise an exception

Case cosine_embedding[target_that_broadcasts,_one_row]-refuses-mean-float32-cpu-eager-contract-n4x5.

Made by lossbench. Exit status 1 while the difference is there, 0 once it is gone.
"""

import sys
import warnings

import torch

warnings.simplefilter("ignore")  # a warning is no refusal
make = torch.nn.CosineEmbeddingLoss
input1 = torch.tensor([2.25, 0.75, -3.0, -2.5, -0.5, 0.0, -0.5, -0.5, 2.25, -2.75, 3.0, 0.75, 2.5, -1.5, -0.5, -2.5, -2.5, 2.25, -1.25, 2.75], dtype=torch.float64).reshape(4, 5).to(torch.float32)
input2 = torch.tensor([-1.25, 1.0, 2.5, 0.0, 0.0, 0.0, -0.5, -0.5, 2.25, -2.75, -3.0, -0.75, 2.25, 0.75, 0.0, -0.75, -2.25, -1.0, 2.25, -1.0], dtype=torch.float64).reshape(4, 5).to(torch.float32)
target = torch.tensor([-1.0, -1.0, -1.0, 1.0], dtype=torch.float64).to(torch.float32)

try:
    target = torch.tensor([-1.0], dtype=torch.float64).to(torch.float32)
    answer = make()(input1, input2, target)
except Exception as error:
    print(f"torch {torch.__version__}: refused, as it should be: {type(error).__name__}: {error}")
    sys.exit(0)
print(f"torch {torch.__version__}: answered {answer}, but must raise Exception")
sys.exit(1)
