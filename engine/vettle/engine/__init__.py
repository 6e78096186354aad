"""The agent-agnostic core: sessions, rules, evidence and the store they live in.

Nothing here knows MCP, the command line or any assistant's file format, and nothing here prints.
Start reading at `records` (the nouns), then `project` (what every function takes first).
"""
