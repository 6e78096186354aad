"""The documentation: pages for people, and the program that writes the reference and README's picture."""
