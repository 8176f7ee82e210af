"""Benchmarks: ``python -m tests.benchmarks [NAME …]`` or ``make bench``. A module here that has ``run()`` is one."""
