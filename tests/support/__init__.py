"""What tests and benchmarks stand on: the real app as a process, a real browser, scripted upstreams, bad proxies."""
