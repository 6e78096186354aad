"""Plots as inline SVG, one module for each kind; they know numbers and labels, and no record."""
