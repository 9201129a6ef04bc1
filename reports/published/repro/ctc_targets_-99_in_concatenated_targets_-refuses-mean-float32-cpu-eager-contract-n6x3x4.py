"""CTCLoss: answered, but must raise an exception

Case ctc[targets_-99_in_concatenated_targets]-refuses-mean-float32-cpu-eager-contract-n6x3x4.

Made by lossbench. Exit status 1 while the difference is there, 0 once it is gone.
"""

import sys
import warnings

import torch

warnings.simplefilter("ignore")  # a warning is no refusal
make = torch.nn.CTCLoss
log_probs = torch.tensor([-7.5, -4.375, -7.875, -0.0, -6.875, -6.0, -0.0, -5.25, -1.375, -0.5, -2.625, -3.125, -1.625, -1.25, -4.125, -0.625, -4.125, -1.625, -0.75, -1.25, -1.5, -0.25, -5.375, -3.75, -2.625, -5.875, -0.125, -5.5, -6.0, -0.125, -6.625, -2.0, -4.0, -1.125, -1.625, -0.75, -2.875, -3.375, -0.125, -6.625, -3.25, -2.625, -0.125, -4.125, -0.25, -3.0, -1.875, -3.0, -1.125, -3.75, -0.5, -2.875, -5.75, -0.375, -1.75, -2.375, -0.125, -3.5, -3.125, -2.375, -4.625, -0.0, -4.25, -4.25, -0.75, -2.125, -1.375, -1.75, -4.875, -0.25, -3.25, -1.875], dtype=torch.float64).reshape(6, 3, 4).to(torch.float32)
targets = torch.tensor([1, 1, 2, 2], dtype=torch.int64)
input_lengths = torch.tensor([6, 5, 5], dtype=torch.int64)
target_lengths = torch.tensor([2, 1, 1], dtype=torch.int64)

try:
    targets = torch.tensor([1, 1, 2, -99], dtype=torch.int64)
    target_lengths = torch.tensor([2, 1, 1], dtype=torch.int64)
    answer = make()(log_probs, targets, input_lengths, target_lengths)
except Exception as error:
    print(f"torch {torch.__version__}: refused, as it should be: {type(error).__name__}: {error}")
    sys.exit(0)
print(f"torch {torch.__version__}: answered {answer}, but must raise Exception")
sys.exit(1)
