"""Asking git how a repository's files stand; the repository is somebody else's and is not trusted."""
