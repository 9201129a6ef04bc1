"""CTCLoss: raised TypeError, but must work: ctc_loss() received an invalid combination of arguments - got (Tensor, Tensor, Tensor, tuple, int, int, bool), but expected one of:

Case ctc[target_lengths_as_a_tuple]-accepts-sum-float32-cpu-functional-contract-n6x3x4.

Made by lossbench. Exit status 1 while the difference is there, 0 once it is gone.
"""

import sys
import warnings

import torch

inf, nan = float('inf'), float('nan')

warnings.simplefilter("ignore")  # a warning is no refusal
make = torch.nn.functional.ctc_loss
log_probs = torch.tensor([-1.125, -0.375, -4.75, -3.875, -2.0, -1.25, -1.0, -1.5, -4.125, -0.25, -5.5, -1.75, -4.875, -5.5, -0.125, -2.75, -0.25, -5.375, -4.125, -1.5, -4.625, -0.875, -2.5, -0.75, -2.5, -1.5, -1.75, -0.625, -2.5, -2.75, -0.125, -5.125, -1.5, -0.25, -5.25, -6.0, -0.125, -3.875, -2.25, -6.875, -4.375, -6.625, -0.125, -2.0, -0.125, -3.75, -4.5, -3.0, -1.0, -0.875, -2.125, -2.375, -2.125, -2.75, -4.375, -0.25, -4.625, -2.125, -2.125, -0.25, -1.125, -2.75, -0.875, -1.875, -8.375, -2.75, -3.375, -0.125, -0.75, -5.75, -0.625, -6.25], dtype=torch.float64).reshape(6, 3, 4).to(torch.float32)
targets = torch.tensor([1, 2, 3, 3, 3, 2], dtype=torch.int64).reshape(3, 2)
input_lengths = torch.tensor([6, 3, 6], dtype=torch.int64)
target_lengths = torch.tensor([1, 2, 1], dtype=torch.int64)


def close(answer, expected):
    bound = 64 * torch.finfo(expected.dtype).eps * expected.abs().max().clamp(min=1)
    return answer.shape == expected.shape and bool(((answer - expected).abs() <= bound).all())


answer = make(log_probs, targets, input_lengths, target_lengths, reduction='sum')

expected = answer
try:
    target_lengths = (1, 2, 1)
    answer = make(log_probs, targets, input_lengths, target_lengths, reduction='sum')
except Exception as error:
    print(f"torch {torch.__version__}: raised {type(error).__name__}, but must work: {error}")
    sys.exit(1)
print(f"torch {torch.__version__}: answered {answer}, and should answer {expected}")
sys.exit(0 if close(answer, expected) else 1)
