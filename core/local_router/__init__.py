"""The embedded router: the contract's endpoints on 127.0.0.1, with a small language model of its own and one that misbehaves on request."""
