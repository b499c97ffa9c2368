"""Benchmarks: what an import and a sync cost, beside the floor measured in the same run. Started by ``bin/bench``."""
