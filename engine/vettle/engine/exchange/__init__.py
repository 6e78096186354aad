"""What comes from other systems and what goes to them: imports of five systems, exports, and the whole log."""
