"""The ground floor: knows no loss and no optimizer.

Declarations, error bounds, input lanes, verdicts, results files, timing and pages that `lossbench` and `optimbench` share.
"""
