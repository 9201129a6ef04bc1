"""AdamW: step 1, parameter 0, parameter[31] = -0x1.781f700000000p-8 (-0.00573917851), but should be -0x1.781f55510a041p-8 (-0.0057391723)

Case adamw[betas=(0.5,0.75),eps=0.01,weight_decay=0.0,amsgrad=True,maximize=True]-lockstep-float32-cpu-differentiable-ordinary-n63-s0.

Made by optimbench. Exit status 1 while the difference is there, 0 once it is gone.
"""

import sys

import torch

F = float.fromhex  # numbers are written as hex floats
inf, nan = float("inf"), float("nan")

p0 = torch.nn.Parameter(torch.tensor([F("-0x1.4c80ae0000000p+0"), F("0x1.77d0ac0000000p+0"), F("0x1.b64f760000000p+0"), F("0x1.89dcb40000000p-4"), F("0x1.8b08520000000p-3"), F("-0x1.6aa41a0000000p-1"), F("-0x1.a357880000000p-6"), F("-0x1.d7e5220000000p-5"), F("0x1.9059f60000000p-4"), F("-0x1.a879f00000000p-1"), F("-0x1.a5747c0000000p-4"), F("-0x1.28255a0000000p-1"), F("0x1.aadbe60000000p-6"), F("-0x1.4a2afe0000000p-2"), F("0x1.622cc00000000p-1"), F("-0x1.0d89120000000p+0"), F("-0x1.1c9c7e0000000p+1"), F("0x1.af42260000000p-3"), F("-0x1.5a71c80000000p+0"), F("0x1.402b740000000p-2"), F("0x1.b190a20000000p+0"), F("0x1.4aea1c0000000p-6"), F("-0x1.e1b1000000000p+0"), F("-0x1.b6c81c0000000p+0"), F("-0x1.9c24b00000000p-1"), F("0x1.ba1e5e0000000p-2"), F("-0x1.3f23ae0000000p-4"), F("0x1.8315140000000p-1"), F("0x1.da20d80000000p+0"), F("0x1.5dbd300000000p-1"), F("0x1.4a7a4c0000000p-7"), F("-0x1.b9a9ae0000000p-8"), F("0x1.0452160000000p+0")], dtype=torch.float64).to(torch.float32))
p0 = p0.clone()
p0.retain_grad()
optimizer = torch.optim.AdamW([{"params": [p0], 'betas': (0.9, 0.999), 'eps': 1e-08, 'weight_decay': 0.01, 'amsgrad': False, 'maximize': False}], betas=(0.5, 0.75), eps=0.01, weight_decay=0.0, amsgrad=True, maximize=True, foreach=False, fused=False, differentiable=True)

# step 1
p0.grad = torch.tensor([F("0x1.7724880000000p-1"), F("-0x1.33eb120000000p-2"), F("-0x1.2759dc0000000p-1"), F("-0x1.1aa0200000000p+1"), F("-0x1.6b06120000000p-1"), F("-0x1.71212e0000000p-1"), F("0x1.99df640000000p-4"), F("0x1.048c200000000p-1"), F("-0x1.e5ebb80000000p+0"), F("0x1.b3caf60000000p-1"), F("-0x1.629adc0000000p+0"), F("-0x1.1406d60000000p+0"), F("-0x1.053ef60000000p-1"), F("-0x1.3f524e0000000p-2"), F("-0x1.05b7280000000p-2"), F("0x1.9769240000000p+0"), F("-0x1.8619ca0000000p-3"), F("-0x1.526e2e0000000p+0"), F("0x1.a102820000000p+0"), F("0x1.4ea78a0000000p-1"), F("0x1.3c75b20000000p+1"), F("-0x1.5468ee0000000p-4"), F("0x1.d8c31e0000000p-3"), F("0x1.2f0ca20000000p+0"), F("0x1.d0f0be0000000p-1"), F("-0x1.3228a60000000p+1"), F("0x1.5b40de0000000p-4"), F("-0x1.4da67c0000000p-2"), F("-0x1.c20b400000000p+0"), F("-0x1.e2f21a0000000p-2"), F("0x1.ee688c0000000p-1"), F("-0x1.6a48660000000p-1"), F("-0x1.162d540000000p-1")], dtype=torch.float64).to(torch.float32)
optimizer.step()
got = p0.detach()[31]
what, should, allowed = 'parameter', F("-0x1.781f55510a041p-8"), F("0x1.a1708531c702ep-28")

got = float(got)
print(f"torch {torch.__version__}: {what} is {got!r}, but should be {should!r}, give or take {allowed:.3g}")
same = got == should or (got != got and should != should) or abs(got - should) <= allowed
sys.exit(0 if same else 1)
