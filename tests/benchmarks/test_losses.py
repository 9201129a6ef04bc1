"""pytest-benchmark over the same kernels as ``lossbench time``: forward and forward with backward at two sizes."""

import pytest
import torch

import lossbench.kernels
import reference
from benchkit import devices


@pytest.mark.usefixtures("there")
@pytest.mark.parametrize("size", [10**3, 10**5])
@pytest.mark.parametrize("operation", lossbench.kernels.OPERATIONS)
@pytest.mark.parametrize("device", devices.available())
@pytest.mark.parametrize("name", sorted(reference.LOSSES))
@pytest.mark.benchmark(min_rounds=5, max_time=0.1, warmup=False)
def test_loss(benchmark, name, device, operation, size):
    kernel = lossbench.kernels.build(reference.LOSSES[name], operation, device, "float32", size)

    def run():
        result = kernel.run()
        devices.synchronize(device)
        return result

    benchmark.group = f"{operation} {size:,} on {device}"
    benchmark.extra_info.update(elements=kernel.elements, bytes=kernel.bytes, threads=torch.get_num_threads())
    result = benchmark(run)

    assert all(torch.isfinite(tensor).all() for tensor in (result if isinstance(result, tuple) else [result]))
