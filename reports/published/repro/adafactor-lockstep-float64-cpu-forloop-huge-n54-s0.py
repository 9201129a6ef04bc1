"""Adafactor: step 1, parameter 0, parameter[1, 0, 3] = 0x1.170b551d97a1cp-4 (0.0681260419), but should be 0x1.7d1f010024888p-5 (0.0465235729)

Case adafactor-lockstep-float64-cpu-forloop-huge-n54-s0.

Made by optimbench. Exit status 1 while the difference is there, 0 once it is gone.
"""

import sys

import torch

F = float.fromhex  # numbers are written as hex floats
inf, nan = float("inf"), float("nan")

p0 = torch.nn.Parameter(torch.tensor([F("-0x1.adf8077c9c78ep+0"), F("-0x1.d624d8186f14fp-1"), F("-0x1.5990009a86156p-1"), F("-0x1.df5f8c98fcd2fp-6"), F("0x1.c6bcd46474421p-2"), F("0x1.42eb2e556aed3p-2"), F("0x1.1af7e23d1f172p+0"), F("0x1.6d13d8a00711fp+0"), F("0x1.174e62b7515fap-2"), F("-0x1.9f5285ad875efp-4"), F("0x1.2d2ad06ff0605p-1"), F("0x1.4647db2ae51cep+0"), F("-0x1.6091fbc9ab2edp+0"), F("0x1.87dcfc5fd226bp-1"), F("0x1.35fd7ccf47959p-1"), F("0x1.1752d6ddd06a9p-4"), F("0x1.149626b11c637p+0"), F("-0x1.87776e16891d5p+1"), F("0x1.e61c8e46f8413p-1"), F("-0x1.eeac245d0c872p-2"), F("0x1.3d93d98d0615fp+0"), F("-0x1.0e9cde4d39a5bp+0"), F("0x1.581a0e58907d7p-1"), F("0x1.a8f93c67aa261p-1")], dtype=torch.float64).reshape(2, 3, 4))
optimizer = torch.optim.Adafactor([{"params": [p0], 'beta2_decay': -0.3, 'eps': (0.125, 2.0), 'd': 2.0, 'weight_decay': 0.1, 'maximize': True}], foreach=False)

# step 1
p0.grad = torch.tensor([F("-0x1.fffffffffffffp+507"), F("0x1.fffffffffffffp+507"), F("0x1.4931755026f3ap+1"), F("-0x1.e6038570b42f5p-1"), F("0x1.877f225ece66bp-1"), F("-0x1.fffffffffffffp+507"), F("0x1.fffffffffffffp+507"), F("-0x1.d05bb1d44b951p-4"), F("-0x1.a4a9a4974d0f6p-2"), F("0x1.5a1e1661474d5p+0"), F("-0x1.fffffffffffffp+507"), F("-0x1.84917f909a3c2p-1"), F("0x1.fffffffffffffp+507"), F("-0x1.260d3aacccdc1p+1"), F("0x1.fffffffffffffp+507"), F("-0x1.fffffffffffffp+507"), F("-0x1.fffffffffffffp+507"), F("-0x1.1e1a16cd8155bp-1"), F("-0x1.036aaea0b0ef5p+0"), F("0x1.6b362c188ed05p-1"), F("0x1.fffffffffffffp+507"), F("0x1.fffffffffffffp+507"), F("-0x1.0c110afc9a7e7p+1"), F("-0x1.fffffffffffffp+507")], dtype=torch.float64).reshape(2, 3, 4)
optimizer.step()
got = p0.detach()[1, 0, 3]
what, should, allowed = 'parameter', F("0x1.7d1f010024888p-5"), F("0x1.84d89932965d7p-52")

got = float(got)
print(f"torch {torch.__version__}: {what} is {got!r}, but should be {should!r}, give or take {allowed:.3g}")
same = got == should or (got != got and should != should) or abs(got - should) <= allowed
sys.exit(0 if same else 1)
