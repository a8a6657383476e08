"""Measures the pipeline beside other engines on the same work, on this machine."""
