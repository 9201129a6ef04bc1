"""``python -m lossbench`` and the console script ``lossbench``."""

from lossbench.cli import main

__all__ = ["main"]

if __name__ == "__main__":
    main()
