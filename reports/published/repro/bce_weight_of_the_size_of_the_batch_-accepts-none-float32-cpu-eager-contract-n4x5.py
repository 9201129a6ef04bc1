"""BCELoss: raised RuntimeError, but must work: Attempting to broadcast a dimension of length 4 at -1! Mismatching argument at index 1 had torch.Size([4]); but expected shape should be broadcastable to [4, 5]

Case bce[weight_of_the_size_of_the_batch]-accepts-none-float32-cpu-eager-contract-n4x5.

Made by lossbench. Exit status 1 while the difference is there, 0 once it is gone.
"""

import sys
import warnings

import torch

inf, nan = float('inf'), float('nan')

warnings.simplefilter("ignore")  # a warning is no refusal
make = torch.nn.BCELoss
input = torch.tensor([1.0, 0.75, 1.0, 0.5, 0.5, 0.25, 0.0, 0.0, 0.75, 0.75, 0.5, 0.25, 0.0, 0.0, 0.5, 0.75, 0.25, 1.0, 0.25, 0.75], dtype=torch.float64).reshape(4, 5).to(torch.float32)
target = torch.tensor([0.0, 0.5, 0.5, 0.25, 0.5, 1.0, 0.5, 0.25, 0.5, 0.5, 0.5, 0.25, 0.75, 1.0, 1.0, 0.5, 1.0, 0.0, 0.5, 0.0], dtype=torch.float64).reshape(4, 5).to(torch.float32)


def close(answer, expected):
    bound = 64 * torch.finfo(expected.dtype).eps * expected.abs().max().clamp(min=1)
    return answer.shape == expected.shape and bool(((answer - expected).abs() <= bound).all())


answer = make(reduction='none')(input, target)

expected = answer
try:
    answer = make(reduction='none', weight=torch.tensor([1.0, 1.0, 1.0, 1.0], dtype=torch.float64).to(torch.float32))(input, target)
except Exception as error:
    print(f"torch {torch.__version__}: raised {type(error).__name__}, but must work: {error}")
    sys.exit(1)
print(f"torch {torch.__version__}: answered {answer}, and should answer {expected}")
sys.exit(0 if close(answer, expected) else 1)
