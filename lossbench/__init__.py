"""Drives the loss functions of torch: checks, timing, plots, pages. Importing it imports nothing else."""
