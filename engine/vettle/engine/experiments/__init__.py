"""Experiments: a question with two or more variants, asked by recorded assignment and judged at any time."""
