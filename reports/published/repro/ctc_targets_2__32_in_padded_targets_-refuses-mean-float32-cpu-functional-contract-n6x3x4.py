"""CTCLoss: killed the process (SIGSEGV), but must raise an exception

Case ctc[targets_2**32_in_padded_targets]-refuses-mean-float32-cpu-functional-contract-n6x3x4.

Made by lossbench. Exit status 1 while the difference is there, 0 once it is gone.
"""

import sys
import warnings

import torch

warnings.simplefilter("ignore")  # a warning is no refusal
make = torch.nn.functional.ctc_loss
log_probs = torch.tensor([-1.125, -0.375, -4.75, -3.875, -2.0, -1.25, -1.0, -1.5, -4.125, -0.25, -5.5, -1.75, -4.875, -5.5, -0.125, -2.75, -0.25, -5.375, -4.125, -1.5, -4.625, -0.875, -2.5, -0.75, -2.5, -1.5, -1.75, -0.625, -2.5, -2.75, -0.125, -5.125, -1.5, -0.25, -5.25, -6.0, -0.125, -3.875, -2.25, -6.875, -4.375, -6.625, -0.125, -2.0, -0.125, -3.75, -4.5, -3.0, -1.0, -0.875, -2.125, -2.375, -2.125, -2.75, -4.375, -0.25, -4.625, -2.125, -2.125, -0.25, -1.125, -2.75, -0.875, -1.875, -8.375, -2.75, -3.375, -0.125, -0.75, -5.75, -0.625, -6.25], dtype=torch.float64).reshape(6, 3, 4).to(torch.float32)
targets = torch.tensor([1, 2, 3, 3, 3, 2], dtype=torch.int64).reshape(3, 2)
input_lengths = torch.tensor([6, 3, 6], dtype=torch.int64)
target_lengths = torch.tensor([1, 2, 1], dtype=torch.int64)

try:
    targets = torch.tensor([1, 2, 3, 3, 3, 4294967296], dtype=torch.int64).reshape(3, 2)
    target_lengths = torch.tensor([2, 2, 2], dtype=torch.int64)
    answer = make(log_probs, targets, input_lengths, target_lengths)
except Exception as error:
    print(f"torch {torch.__version__}: refused, as it should be: {type(error).__name__}: {error}")
    sys.exit(0)
print(f"torch {torch.__version__}: answered {answer}, but must raise Exception")
sys.exit(1)
