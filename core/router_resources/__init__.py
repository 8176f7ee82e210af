"""What a router has beside completions (contract §4): models, knowledge, prompts, identities, traces."""
