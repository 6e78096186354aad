"""One writer per assistant: the rules of a sheet in the form that this assistant reads, and no other."""
