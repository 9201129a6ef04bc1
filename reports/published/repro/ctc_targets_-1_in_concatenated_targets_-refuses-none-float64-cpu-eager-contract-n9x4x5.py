"""CTCLoss: answered, but must raise an exception

Case ctc[targets_-1_in_concatenated_targets]-refuses-none-float64-cpu-eager-contract-n9x4x5.

Made by lossbench. Exit status 1 while the difference is there, 0 once it is gone.
"""

import sys
import warnings

import torch

warnings.simplefilter("ignore")  # a warning is no refusal
make = torch.nn.CTCLoss
log_probs = torch.tensor([-4.5, -0.0, -8.5, -5.875, -3.375, -2.5, -4.0, -3.625, -1.25, -0.5, -1.125, -2.25, -4.375, -0.625, -5.75, -2.5, -3.625, -3.75, -0.625, -1.0, -2.5, -3.0, -0.625, -4.25, -1.25, -1.5, -1.625, -1.625, -2.0, -1.375, -3.0, -5.75, -3.375, -0.125, -7.875, -4.625, -4.625, -4.875, -4.125, -0.0, -0.0, -7.0, -4.0, -4.625, -4.25, -3.125, -0.875, -1.5, -1.125, -5.125, -3.375, -4.0, -2.875, -0.875, -0.75, -2.25, -0.625, -4.75, -4.125, -1.125, -1.0, -3.0, -3.625, -0.75, -2.875, -1.0, -3.125, -2.25, -0.875, -3.25, -1.875, -1.25, -1.5, -1.25, -3.125, -0.75, -2.375, -4.5, -0.875, -4.625, -4.0, -0.75, -2.375, -1.875, -1.25, -1.25, -4.5, -1.75, -3.875, -0.625, -5.125, -0.375, -2.5, -5.375, -1.5, -2.625, -1.0, -1.375, -2.375, -1.5, -3.0, -1.875, -7.0, -1.125, -0.75, -4.375, -0.375, -2.0, -2.375, -2.625, -2.0, -5.625, -1.625, -1.0, -1.25, -2.125, -3.5, -3.875, -0.625, -1.125, -7.25, -4.25, -0.125, -2.125, -6.0, -5.875, -4.125, -4.25, -0.0, -9.0, -4.25, -3.0, -1.125, -0.5, -6.0, -7.375, -0.75, -1.75, -1.0, -6.875, -1.125, -5.75, -2.875, -0.5, -4.75, -6.125, -3.375, -2.125, -0.375, -1.875, -4.625, -5.0, -1.125, -1.0, -1.125, -1.125, -1.5, -2.25, -5.0, -1.125, -3.375, -0.125, -4.625, -2.375, -4.625, -3.0, -4.875, -3.5, -4.375, -0.125, -0.75, -4.0, -4.25, -1.875, -1.0, -1.75, -1.5, -3.75, -2.0, -0.875], dtype=torch.float64).reshape(9, 4, 5)
targets = torch.tensor([3, 1, 4, 3, 4, 1, 4, 4, 2, 1], dtype=torch.int64)
input_lengths = torch.tensor([6, 6, 9, 8], dtype=torch.int64)
target_lengths = torch.tensor([3, 3, 2, 2], dtype=torch.int64)

try:
    targets = torch.tensor([3, 1, 4, 3, 4, 1, 4, 4, 2, -1], dtype=torch.int64)
    target_lengths = torch.tensor([3, 3, 2, 2], dtype=torch.int64)
    answer = make(reduction='none')(log_probs, targets, input_lengths, target_lengths)
except Exception as error:
    print(f"torch {torch.__version__}: refused, as it should be: {type(error).__name__}: {error}")
    sys.exit(0)
print(f"torch {torch.__version__}: answered {answer}, but must raise Exception")
sys.exit(1)
