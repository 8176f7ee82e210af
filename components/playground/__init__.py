"""The Playground page: one prompt, every parameter, a live answer."""
