"""Drives the optimizers of torch: checks, timing, convergence, plots, pages. Importing it imports nothing else."""
