"""CTCLoss: answered, but must raise an exception

Case ctc[targets_-1_in_padded_targets]-refuses-none-float64-cpu-eager-contract-n9x4x5.

Made by lossbench. Exit status 1 while the difference is there, 0 once it is gone.
"""

import sys
import warnings

import torch

warnings.simplefilter("ignore")  # a warning is no refusal
make = torch.nn.CTCLoss
log_probs = torch.tensor([-1.25, -3.625, -0.75, -2.0, -2.5, -3.75, -5.625, -1.25, -0.625, -2.0, -4.125, -1.375, -0.5, -5.75, -2.125, -4.125, -6.5, -1.375, -1.0, -1.0, -2.125, -3.125, -3.5, -2.25, -0.375, -0.25, -2.25, -3.5, -3.625, -2.375, -0.0, -4.25, -7.5, -3.25, -5.75, -1.875, -1.25, -3.125, -1.0, -1.75, -2.75, -0.25, -2.5, -2.75, -4.375, -3.75, -1.25, -2.625, -0.75, -1.875, -5.125, -0.125, -5.375, -4.5, -3.125, -5.125, -0.75, -2.125, -4.25, -0.875, -3.875, -2.5, -3.875, -0.25, -3.0, -4.25, -3.0, -2.75, -8.5, -0.125, -2.5, -0.5, -2.0, -1.875, -3.5, -3.125, -3.75, -4.375, -5.875, -0.125, -3.25, -0.25, -4.875, -2.125, -4.625, -0.25, -1.75, -4.25, -3.5, -5.125, -4.375, -3.625, -0.25, -2.25, -3.125, -2.125, -0.75, -2.0, -1.375, -4.625, -4.0, -1.375, -1.375, -1.0, -2.125, -4.25, -0.5, -1.875, -2.375, -2.125, -4.875, -2.0, -1.625, -0.375, -4.125, -4.5, -0.0, -4.0, -7.0, -5.625, -7.375, -0.125, -5.5, -5.75, -2.125, -0.375, -1.75, -6.0, -6.125, -1.875, -0.25, -4.5, -2.25, -2.25, -5.5, -1.0, -1.125, -2.625, -1.75, -2.75, -0.5, -4.625, -1.5, -3.625, -1.875, -0.75, -5.5, -5.5, -0.75, -2.625, -2.125, -0.375, -3.0, -3.125, -2.25, -2.25, -0.5, -1.25, -6.5, -3.75, -1.625, -0.5, -5.25, -1.875, -3.25, -2.0, -2.5, -0.375, -3.0, -4.125, -1.375, -1.0, -3.625, -3.125, -1.25, -1.5, -2.75, -2.625, -1.875, -0.75], dtype=torch.float64).reshape(9, 4, 5)
targets = torch.tensor([2, 1, 1, 1, 3, 2, 3, 2, 3, 4, 4, 4], dtype=torch.int64).reshape(4, 3)
input_lengths = torch.tensor([9, 6, 8, 7], dtype=torch.int64)
target_lengths = torch.tensor([3, 0, 2, 3], dtype=torch.int64)

try:
    targets = torch.tensor([2, 1, 1, 1, 3, 2, 3, 2, 3, 4, 4, -1], dtype=torch.int64).reshape(4, 3)
    target_lengths = torch.tensor([3, 3, 3, 3], dtype=torch.int64)
    answer = make(reduction='none')(log_probs, targets, input_lengths, target_lengths)
except Exception as error:
    print(f"torch {torch.__version__}: refused, as it should be: {type(error).__name__}: {error}")
    sys.exit(0)
print(f"torch {torch.__version__}: answered {answer}, but must raise Exception")
sys.exit(1)
