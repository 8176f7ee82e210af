"""What the form and its editors stand on: values in widgets, memory between scripts, marks at fields."""
