"""What many runs, sessions and mistakes say together: summaries to read, never proofs (see `judging`)."""
