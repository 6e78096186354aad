"""The clients that can be connected: where each keeps its MCP servers, and how one entry gets in and out again."""
