"""How optimizers converge: problems, the engine that trains many replicas at once, protocols, and what the results say."""
