"""What happened between the press of Run and the end of the answer: observed by the router's trace, or inferred."""
