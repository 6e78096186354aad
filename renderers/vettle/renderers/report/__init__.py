"""An overview in, one page out: the report that a person reads without a server, a script or a network."""
