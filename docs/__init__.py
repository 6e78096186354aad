"""The documentation: pages for people, and the program that writes the two reference pages."""
