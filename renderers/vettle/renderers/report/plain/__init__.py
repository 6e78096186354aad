"""The report as text for a terminal or a pipe: pieces of text and plots of characters, section by section."""
