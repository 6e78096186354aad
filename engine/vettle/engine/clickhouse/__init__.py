"""The same analyses in ClickHouse, over rows that are exported for them; loaded only when somebody asks for it."""
