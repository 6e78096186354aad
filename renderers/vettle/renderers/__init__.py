"""Engine records in, rule files out. See `render` for the one module that touches files."""
