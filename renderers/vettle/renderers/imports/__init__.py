"""Rule files that a repository already has, read as candidate rules; nothing here writes or decides."""
