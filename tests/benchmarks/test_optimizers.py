"""pytest-benchmark over the same kernels as ``optimbench time``: one step by every implementation at two sizes."""

import pytest
import torch

import optimbench.kernels
import reference
from benchkit import devices

STEPS = [(name, path) for name, item in sorted(reference.OPTIMIZERS.items()) for path in item.paths]


@pytest.mark.parametrize("size", [10**3, 10**5])
@pytest.mark.parametrize("device", devices.available())
@pytest.mark.parametrize(("name", "path"), STEPS)
@pytest.mark.benchmark(min_rounds=5, max_time=0.1, warmup=False)
def test_step(benchmark, name, path, device, size):
    kernel = optimbench.kernels.build(reference.OPTIMIZERS[name], path, device, "float32", size)

    def run():
        kernel.run()
        devices.synchronize(device)

    benchmark.group = f"step {size:,} on {device}"
    benchmark.extra_info.update(elements=kernel.elements, bytes=kernel.bytes, threads=torch.get_num_threads())
    benchmark(run)

    assert all(torch.isfinite(parameter).all() for parameter in kernel.changes)
