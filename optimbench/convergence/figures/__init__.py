"""The figures of the convergence laboratory: each is a function of studies, and nothing else, that gives a ``Drawing``."""
