"""Two thin faces over the engine: the MCP server and the command line."""
