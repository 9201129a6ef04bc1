"""``python -m optimbench`` and the console script ``optimbench``."""

from optimbench.cli import main

__all__ = ["main"]

if __name__ == "__main__":
    main()
