"""Rprop: step 2, parameter 0, step_size[2] = 0x1.47ae147ae147bp-7 (0.01), but should be 0x1.47ae147ae147bp-6 (0.02)

Case rprop-lockstep-float64-cpu-forloop-edge-n63-s0.

Made by optimbench. Exit status 1 while the difference is there, 0 once it is gone.
"""

import sys

import torch

F = float.fromhex  # numbers are written as hex floats
inf, nan = float("inf"), float("nan")

p0 = torch.nn.Parameter(torch.tensor([F("-0x1.b7952258d2a2ep+0"), F("0x1.44797d3876ff8p-2"), F("0x1.7a3731456a081p-1"), F("-0x1.8cd51d1d1be3bp-3"), F("0x1.42556eb55a6d8p+0"), F("0x1.5ef9dd8cf602cp-3"), F("-0x1.882d176231637p-4"), F("0x1.52a3c37175b65p-1"), F("0x1.a1f64b201c6d3p-2"), F("-0x1.1dd3498fbdaafp+1"), F("0x1.bbda7a1ab0f11p-3"), F("-0x1.890aa3999e600p-2"), F("-0x1.e2903fd5fbea6p+0"), F("0x1.2d18a3a0e174fp+0"), F("0x1.b787bdc966c1ep+1"), F("-0x1.1b40f826a6e1fp-4"), F("-0x1.86ef53e6307e2p-2"), F("-0x1.d0050fd367f78p+0"), F("-0x1.540d5750fb35bp+0"), F("-0x1.1225c9293a2fap-1"), F("-0x1.638301802d423p-1"), F("-0x1.89c74522f49f7p-2"), F("0x1.474171fae3405p+0"), F("0x1.f36cfcf513dd8p-1"), F("-0x1.5f0848790c221p+1"), F("0x1.93052fee7ba4fp-1"), F("-0x1.ba6b91329e52bp-1"), F("0x1.38953bf7a0884p+0"), F("-0x1.b528d42c4d2bcp-3"), F("-0x1.8d499802e673ep-3"), F("-0x1.708d404e99d36p+0"), F("-0x1.afa162c1a503dp+0"), F("0x1.b5676715eee2dp-2")], dtype=torch.float64))
optimizer = torch.optim.Rprop([{"params": [p0], 'etas': (0.25, 2.0), 'step_sizes': (0.005, 0.15), 'maximize': True}], foreach=False)

# step 1
p0.grad = torch.tensor([F("0x1.0000000000000p-1022"), F("-0x1.fffffffffffffp+507"), F("0x1.a9efa1c4ff3b1p-2"), F("0x1.2307c81acdd83p-3"), 0.0, F("0x1.563bbb3cceb7ep-6"), 0.0, -0.0, F("0x1.fffffffffffffp+507"), F("0x1.0747a0a08249ap-1"), F("-0x1.fffffffffffffp+507"), 0.0, F("-0x1.fffffffffffffp+507"), F("-0x1.58d8f73504a64p+0"), F("0x1.f61dccd1caca4p-2"), F("0x0.0000000000001p-1022"), F("0x0.0000000000001p-1022"), F("0x1.0000000000000p-511"), 0.0, F("0x0.0000000000001p-1022"), 0.0, F("-0x1.f639187abb647p-1"), 1.0, F("0x1.0000000000000p-511"), F("-0x1.ddf39e628ecacp-2"), 0.0, F("0x1.0000000000000p-1022"), -0.0, F("0x1.0000000000000p-1022"), F("0x1.0000000000000p-511"), 1.0, F("0x1.6f73629ec59e5p-2"), 0.0], dtype=torch.float64)
optimizer.step()

# step 2
p0.grad = torch.tensor([F("0x1.0fd2cd684bf7ap-2"), F("-0x1.afdeeb07ec123p-4"), F("0x0.0000000000001p-1022"), F("0x1.09bb8289fd985p-3"), 0.0, F("0x1.3597f98044a78p-4"), F("-0x1.7070ee7065410p-1"), F("0x0.0000000000001p-1022"), F("0x1.0000000000000p-511"), F("0x1.fffffffffffffp+507"), F("-0x1.fffffffffffffp+507"), 0.0, F("0x0.0000000000001p-1022"), F("0x1.0000000000000p-511"), F("-0x1.70d48ab79c114p-2"), 0.0, F("-0x1.fffffffffffffp+507"), F("-0x1.6c4d48e3277e3p-1"), 0.0, F("-0x1.fffffffffffffp+507"), F("0x1.010dd9ee37e94p-4"), F("0x1.75772560f595ep-2"), F("0x0.0000000000001p-1022"), F("0x1.0000000000000p-1022"), F("0x1.fffffffffffffp+507"), 0.0, F("-0x1.92cad650bc2eap-2"), F("-0x1.889cc952b29f5p-2"), 0.0, F("0x1.1f02fbc4c7759p-3"), F("0x1.9f1023de1980cp-3"), F("-0x1.11c1f1acc0fdbp-2"), 0.0], dtype=torch.float64)
optimizer.step()
got = optimizer.state[p0]['step_size'][2]
what, should, allowed = 'step_size', 0.02, F("0x1.47ae147ae147bp-57")

got = float(got)
print(f"torch {torch.__version__}: {what} is {got!r}, but should be {should!r}, give or take {allowed:.3g}")
same = got == should or (got != got and should != should) or abs(got - should) <= allowed
sys.exit(0 if same else 1)
