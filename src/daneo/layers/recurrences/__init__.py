"""The recurrences by themselves, over arrays: definitions in NumPy, kernels, forward and backward passes."""
