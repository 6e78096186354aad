"""The bundle for desktop clients: a manifest, and what is packed beside it."""
