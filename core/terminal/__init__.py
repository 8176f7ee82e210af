"""The parts of ``python -m core``: what a file asks for, the call, and what is told of it."""
