"""Adam: step 2, parameter 0, parameter[19] = 0x1.8865a80000000p-6 (0.023950018), but should be 0x1.8865b170925f4p-6 (0.0239500268)

Case adam[betas=(0.5,0.75),eps=0.01,weight_decay=0.1,amsgrad=True,maximize=True,decoupled_weight_decay=True]-lockstep-float32-cpu-differentiable-ordinary-n63-s0.

Made by optimbench. Exit status 1 while the difference is there, 0 once it is gone.
"""

import sys

import torch

F = float.fromhex  # numbers are written as hex floats
inf, nan = float("inf"), float("nan")

p0 = torch.nn.Parameter(torch.tensor([F("-0x1.eec8b20000000p-1"), F("-0x1.a4812a0000000p-2"), F("0x1.7bdfe60000000p-6"), F("0x1.460ed00000000p-2"), F("-0x1.071fd80000000p+0"), F("-0x1.41e9580000000p-5"), F("-0x1.9e2c780000000p-4"), F("0x1.aa50200000000p-2"), F("0x1.1cf7540000000p-2"), F("-0x1.0472420000000p+0"), F("-0x1.2201bc0000000p-4"), F("0x1.30932c0000000p+1"), F("-0x1.0480200000000p-3"), F("-0x1.5b44100000000p-5"), F("-0x1.ded58a0000000p-1"), F("-0x1.91fe320000000p-1"), F("0x1.4e9afa0000000p-2"), F("0x1.2253240000000p+0"), F("-0x1.e8d7e00000000p-1"), F("0x1.69c8a00000000p-6"), F("-0x1.0bc6880000000p-2"), F("-0x1.a4cc200000000p-2"), F("-0x1.43b7f20000000p-1"), F("-0x1.aafc2e0000000p-2"), F("-0x1.7a29d60000000p-2"), F("-0x1.4e581e0000000p-1"), F("0x1.453d100000000p+0"), F("-0x1.e649fa0000000p-2"), F("-0x1.a972e20000000p-2"), F("0x1.3376320000000p+1"), F("-0x1.b8bf700000000p-3"), F("0x1.ca09860000000p+0"), F("-0x1.8fa4b40000000p+0")], dtype=torch.float64).to(torch.float32))
p0 = p0.clone()
p0.retain_grad()
optimizer = torch.optim.Adam([{"params": [p0], 'betas': (0.9, 0.999), 'eps': 1e-08, 'weight_decay': 0.0, 'amsgrad': False, 'maximize': False, 'decoupled_weight_decay': False}], betas=(0.5, 0.75), eps=0.01, weight_decay=0.1, amsgrad=True, maximize=True, decoupled_weight_decay=True, foreach=False, fused=False, differentiable=True)

# step 1
p0.grad = torch.tensor([F("0x1.4e85360000000p+0"), F("-0x1.3745fa0000000p-2"), F("-0x1.5fd4320000000p-7"), F("0x1.95dd9c0000000p+0"), F("-0x1.5b09660000000p-1"), F("-0x1.6aac9a0000000p-2"), F("-0x1.4cdfe60000000p-1"), F("0x1.a1bb160000000p-2"), F("-0x1.2dafc40000000p+0"), F("0x1.fdcaf60000000p-1"), F("0x1.ed362e0000000p+0"), F("0x1.e61a500000000p-1"), F("-0x1.3a168a0000000p-1"), F("0x1.245c840000000p+0"), F("0x1.8292120000000p-2"), F("-0x1.91d0820000000p-1"), F("0x1.03ce5a0000000p+0"), F("-0x1.c38e8e0000000p-4"), F("-0x1.5111f40000000p-1"), F("-0x1.af1b900000000p+1"), F("-0x1.5a5e2a0000000p+0"), F("-0x1.6f584e0000000p+0"), F("-0x1.51fbf60000000p+1"), F("-0x1.7a77120000000p+0"), F("-0x1.0509600000000p-4"), F("-0x1.46eb4e0000000p+0"), F("-0x1.23a3580000000p+0"), F("-0x1.6d410a0000000p-10"), F("0x1.4c77d00000000p-4"), F("0x1.6e8b9e0000000p-4"), F("0x1.b7b60c0000000p-1"), F("-0x1.8373c00000000p-2"), F("-0x1.09e3180000000p+0")], dtype=torch.float64).to(torch.float32)
optimizer.step()

# step 2
p0.grad = torch.tensor([F("-0x1.6911da0000000p-2"), F("0x1.dcc9a40000000p-3"), F("-0x1.5142b20000000p-2"), F("0x1.22d1b40000000p-1"), F("-0x1.1fed320000000p-1"), F("0x1.a4e2720000000p-1"), F("0x1.7e07340000000p+0"), F("0x1.2d043a0000000p-1"), F("-0x1.c141540000000p-4"), F("-0x1.dacfc20000000p-3"), F("-0x1.502ee40000000p-2"), F("0x1.f4363a0000000p-6"), F("-0x1.1caaf80000000p+0"), F("-0x1.66f3420000000p+0"), F("-0x1.76e91e0000000p+0"), F("0x1.0947760000000p-2"), F("-0x1.74ca340000000p+0"), F("0x1.394e740000000p+0"), F("0x1.dadb260000000p-1"), F("-0x1.1a7bf20000000p+0"), F("-0x1.f44fec0000000p-2"), F("-0x1.bef2320000000p-3"), F("-0x1.7cf72e0000000p-4"), F("-0x1.806a140000000p-5"), F("-0x1.1f0d660000000p-1"), F("-0x1.2fdaf60000000p-2"), F("-0x1.fcb77a0000000p-1"), F("0x1.c3c9de0000000p-3"), F("0x1.5b7eee0000000p-5"), F("0x1.d9d9920000000p-1"), F("-0x1.183dde0000000p-1"), F("-0x1.75f8a00000000p-4"), F("-0x1.67a1600000000p-2")], dtype=torch.float64).to(torch.float32)
optimizer.step()
got = p0.detach()[19]
what, should, allowed = 'parameter', F("0x1.8865b170925f4p-6"), F("0x1.1d7ab0a688c25p-27")

got = float(got)
print(f"torch {torch.__version__}: {what} is {got!r}, but should be {should!r}, give or take {allowed:.3g}")
same = got == should or (got != got and should != should) or abs(got - should) <= allowed
sys.exit(0 if same else 1)
