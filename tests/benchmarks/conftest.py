"""The benchmarks run only when they are asked for, with ``--benchmark-only``."""


def pytest_ignore_collect(collection_path, config):
    return None if config.getoption("--benchmark-only", default=False) else True
