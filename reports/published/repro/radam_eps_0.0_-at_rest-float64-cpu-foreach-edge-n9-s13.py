"""RAdam: step 1, parameter 0, parameter[1] = nan (nan), but should be -0x1.6fd17f7624a4bp-5 (-0.0448997011)

Case radam[eps=0.0]-at_rest-float64-cpu-foreach-edge-n9-s13.

Made by optimbench. Exit status 1 while the difference is there, 0 once it is gone.
"""

import sys

import torch

F = float.fromhex  # numbers are written as hex floats
inf, nan = float("inf"), float("nan")

p0 = torch.nn.Parameter(torch.tensor([F("-0x1.4aec6e573a016p-6"), F("-0x1.6fd17f7624a4bp-5"), F("0x1.190faebc7ca62p+0")], dtype=torch.float64))
optimizer = torch.optim.RAdam([{"params": [p0]}], eps=0.0, foreach=True)

# step 1
p0.grad = torch.tensor([F("0x1.479af1ced21ffp-1"), 0.0, F("-0x1.fffffffffffffp+507")], dtype=torch.float64)
optimizer.step()
got = p0.detach()[1]
what, should, allowed = 'parameter', F("-0x1.6fd17f7624a4bp-5"), F("0x1.6fd17f7624a4bp-56")

got = float(got)
print(f"torch {torch.__version__}: {what} is {got!r}, but should be {should!r}, give or take {allowed:.3g}")
same = got == should or (got != got and should != should) or abs(got - should) <= allowed
sys.exit(0 if same else 1)
