"""Is a translation right? Inputs, execution, comparison, verdict."""
